/* SPDX-License-Identifier: Apache-2.0 */
/* Reports what happens in a session's network: to watchers as events, to the client that sent the
 * cell in its reply, and to the journal. */
#pragma once

#include "model/network.h"
#include "net/net.h"
#include "rpc/json.h"

struct hosted;

/* Events of engine/net; @arg is the struct hosted. */
void report_opened(void *arg, const struct gb_net_news *news);
void report_denied(void *arg, const struct gb_net_news *news);
void report_closed(void *arg, const struct gb_net_news *news);
void report_visited(void *arg, const struct gb_net_news *news);

/* Records and tells watchers that @client (NULL: unnamed) set the rules, as they are now. */
void report_policy(struct hosted *hosted, const char *client);
/* The last record: the sums, and how many records were not written. */
void report_end(struct hosted *hosted);
/* Writes a record to the journal, unless there are too many: then they are counted, and the next
 * one that is written has their number. */
void report_record(struct hosted *hosted, struct gb_network_record record);

/* Adds sentences about refused connections, for the reader of the cell. */
void report_put_notes(struct gb_buf *note, struct hosted *hosted);
/* `network_refused` of the reply to a cell; it is empty then. */
void report_put_refused(struct gb_json_out *out, struct hosted *hosted);

/* SPDX-License-Identifier: Apache-2.0 */
/* Questions about connections: who is asked, for how long, and what is told about the outcome. */
#pragma once

#include "model/network.h"
#include "net/net.h"
#include "rpc/json.h"

struct gb_server;
struct hosted;
struct session_filter;

/* Events of engine/net; @arg is the struct hosted. */
const char *asking_on_asked(void *arg, const struct gb_net_question *question);
void asking_on_answered(void *arg, const struct gb_net_question *question, const char *answer);

/* A watcher has disconnected: questions that no one can answer now are refused. */
void asking_on_watcher_gone(struct gb_server *server);
void asking_release(struct hosted *hosted);

/* The questions of a session, as a list. Borrows. */
struct gb_items asking_list(struct hosted *hosted);
/* `questions` of a snapshot. */
void asking_put_snapshot(struct gb_json_out *out, struct gb_server *server,
                         const struct session_filter *filter);
/* The rule that decides all connections to the question's target, as a line. */
void asking_put_rule(struct gb_buf *text, const struct gb_net_question *question, bool allow);

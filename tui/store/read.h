/* SPDX-License-Identifier: Apache-2.0 */
/* What the server says, as the store keeps it. The answers were checked by the client; of what is
 * not as its table says nothing is taken. */
#pragma once

#include "model/capacity.h"
#include "model/stats.h"
#include "rpc/json.h"
#include "store/store.h"

/* What is 0 was not told this time, and stays. */
void read_host(struct host *host, const struct gb_host_info *told);
/* `host` of an event; NULL: there is none. */
void read_host_event(struct host *host, const struct gb_json *value);
void read_admission(struct host *host, const struct gb_admission_info *told);
void read_pool(struct pool *pool, const struct gb_pool_info *told);
void read_hello(struct server *server, const struct gb_json *result);
void read_stats(struct host *host, const struct gb_json *result);

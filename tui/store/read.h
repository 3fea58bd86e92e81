/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the server's objects into the store. The client has checked answers; values that do not
 * conform to the tables are ignored. */
#pragma once

#include "model/capacity.h"
#include "model/session.h"
#include "model/stats.h"
#include "rpc/json.h"
#include "store/store.h"

/* Members that are 0 were not included, and stay unchanged. */
void read_host(struct host *host, const struct gb_host_info *told);
/* `host` of an event; NULL: none. */
void read_host_event(struct host *host, const struct gb_json *value);
void read_admission(struct host *host, const struct gb_admission_info *told);
/* The lines of an image as one: a person counts VMs that are ready. Returns how many there are. */
size_t read_pools(struct pool pools[STORE_POOLS_MAX], const struct gb_items *told);
void read_hello(struct server *server, const struct gb_json *result);
void read_stats(struct host *host, const struct gb_json *result);
double read_seconds(uint64_t ns);
void read_guest_memory(struct session *session, const struct gb_session_info *info);
/* Everything except the lease and the last cell. */
void read_session(struct session *session, const struct gb_session_info *info);

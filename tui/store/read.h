/* SPDX-License-Identifier: Apache-2.0 */
/* What the server says, read without trust: what is missing or of another type is empty, 0, false.
 */
#pragma once

#include "rpc/json.h"
#include "store/store.h"

void read_host(struct host *host, const struct gb_json *value);
void read_admission(struct host *host, const struct gb_json *value);
void read_pool(struct pool *pool, const struct gb_json *value);
void read_hello(struct server *server, const struct gb_json *result);
void read_stats(struct host *host, const struct gb_json *result);

/* SPDX-License-Identifier: Apache-2.0 */
/* What the server says, read without trust: what is missing or of another type is empty, 0, false.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rpc/json.h"
#include "store/store.h"

struct gb_bytes read_text(const struct gb_json *object, const char *name);
/* Cut where it does not fit, between characters. */
void read_string(const struct gb_json *object, const char *name, char *to, size_t room);
double read_number(const struct gb_json *object, const char *name);
uint64_t read_u64(const struct gb_json *object, const char *name);
bool read_true(const struct gb_json *object, const char *name);
/* NULL when it is no array. */
const struct gb_json *read_array(const struct gb_json *object, const char *name);

void read_host(struct host *host, const struct gb_json *value);
void read_admission(struct host *host, const struct gb_json *value);
void read_pool(struct pool *pool, const struct gb_json *value);
void read_hello(struct server *server, const struct gb_json *result);
void read_stats(struct host *host, const struct gb_json *result);

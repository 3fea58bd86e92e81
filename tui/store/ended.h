/* SPDX-License-Identifier: Apache-2.0 */
/* Ended sessions, from the server's journal: read on request, next to those that the store follows.
 * store_find() finds them, too. */
#pragma once

#include "store/store.h"

enum { STORE_ENDED_MAX = 2000 };

/* A reply to `session.list` for one of the states `closed` and `lost`: replaces the sessions of
 * that state. */
void ended_take(struct store *store, const struct gb_json *result, enum session_state state);
void ended_clear(struct store *store);
struct session *ended_find(struct store *store, const char *id);

/* SPDX-License-Identifier: Apache-2.0 */
/* Recently ended sessions: a ring of the last GB_ENDED_MAX. A late call learns from it why its
 * session has ended, and the next session with the same key what happened to the previous one. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "model/words.h"

struct ended {
    char *id, *key; /* key: NULL if none */
    uint32_t incarnation;
    enum gb_end end; /* as session.open reports it for the next session with this key */
    struct gb_err why;
};

/* Zero it before use. */
struct ended_ring {
    struct ended sessions[GB_ENDED_MAX];
    size_t next;
};

/* @key may be NULL. Drops the oldest entry if full. */
void ended_add(struct ended_ring *ring, const char *id, const char *key, uint32_t incarnation,
               enum gb_end end, const struct gb_err *why);
/* The newest with that id, or that key; NULL: none. */
const struct ended *ended_by_id(const struct ended_ring *ring, struct gb_bytes id);
const struct ended *ended_by_key(const struct ended_ring *ring, struct gb_bytes key);
/* Forgets the end of that session, which has not ended after all; its key is not affected. */
void ended_forget_id(struct ended_ring *ring, struct gb_bytes id);
void ended_release(struct ended_ring *ring);

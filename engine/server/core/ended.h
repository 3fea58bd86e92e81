/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions that have ended, as long as they are remembered: a ring of the last GB_ENDED_MAX.
 * So a late call learns why its session is gone, and the next session with a key what became of the
 * one before. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "model/words.h"

struct ended {
    char *id, *key; /* key: NULL for none */
    uint32_t incarnation;
    enum gb_end end; /* what session.open says of the next one */
    struct gb_err why;
};

/* Zeroed before it is used. */
struct ended_ring {
    struct ended sessions[GB_ENDED_MAX];
    size_t next;
};

/* @key may be NULL. The oldest is forgotten. */
void ended_add(struct ended_ring *ring, const char *id, const char *key, uint32_t incarnation,
               enum gb_end end, const struct gb_err *why);
/* The newest with that id, or that key; NULL: none is remembered. */
const struct ended *ended_by_id(const struct ended_ring *ring, struct gb_bytes id);
const struct ended *ended_by_key(const struct ended_ring *ring, struct gb_bytes key);
void ended_release(struct ended_ring *ring);

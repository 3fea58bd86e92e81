/* SPDX-License-Identifier: Apache-2.0 */
/* A session and its lease, as the server sends them and clients read them. Bytes borrow from
 * whoever built the struct. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "model/member.h"

enum gb_session_flags {
    /* Stored by the journal: the values must not change. */
    GB_SESSION_RUN = 1 << 0,
    GB_SESSION_HAS_KEY = 1 << 1,
    GB_SESSION_HAS_LABEL = 1 << 2,
    GB_SESSION_HAS_OWNER = 1 << 3,
    GB_SESSION_HAS_CLIENT = 1 << 4,
    GB_SESSION_HAS_ORIGIN = 1 << 5,
    GB_SESSION_FLAGS_END = 1 << 6,

    /* Not stored by the journal. */
    GB_SESSION_IS_OPEN = 1 << 8,
    GB_SESSION_HAS_ENDED = 1 << 9,
    GB_SESSION_FAILED = 1 << 10, /* the last cell that ended had failed */
    GB_SESSION_HAS_USAGE = 1 << 11,
    GB_SESSION_HAS_GUEST_MEMORY = 1 << 12,
    GB_SESSION_HAS_LEASE = 1 << 13,
    GB_SESSION_HAS_WAITING = 1 << 14,
    GB_SESSION_DAMAGED = 1 << 15,       /* some of its records cannot be read */
    GB_SESSION_REPLAYED = 1 << 16,      /* an earlier sample */
    GB_SESSION_PROMPT_BASE64 = 1 << 24, /* in a reader: the prompt is in base64 */
};

enum gb_lease_flags { GB_LEASE_HUMAN = 1 << 0, GB_LEASE_HAS_WAITING = 1 << 1 };

/* The client that holds a session's lease. */
struct gb_lease_info {
    struct gb_bytes holder, note; /* NULL pointer: none */
    uint64_t client;              /* the number of its connection */
    uint64_t since_ns;            /* wall clock */
    uint64_t waiting;             /* cells waiting for its end */
    uint32_t flags;               /* enum gb_lease_flags */
};

/* Texts with a NULL pointer are absent. */
struct gb_session_info {
    struct gb_bytes id, key, label, owner, client, image, language, network;
    struct gb_bytes packages;
    struct gb_bytes origin; /* the session that it was forked from; with GB_SESSION_HAS_ORIGIN */
    uint64_t origin_checkpoint;
    uint32_t origin_cell;
    uint8_t state;  /* enum gb_session_state */
    uint8_t source; /* enum gb_source */
    uint32_t flags; /* enum gb_session_flags */
    uint32_t incarnation, cells, queued;
    uint32_t terminals; /* running programs at terminals */
    uint64_t created_at_ns, last_active_at_ns, expires_at_ns, ended_at_ns; /* wall clock; 0: none */
    uint32_t memory_mb;
    uint64_t memory_bytes, cpu_ns; /* with GB_SESSION_HAS_USAGE */
    uint64_t guest_total, guest_used;
    struct gb_lease_info lease;
    uint32_t waiting_cell;
    struct gb_bytes waiting_client, prompt;
    struct gb_bytes reason, message; /* why it ended: a word of enum gb_end, and a message */
};

/* A sample only has the members about resource usage; the result of `session.lease` only the
 * lease. */
extern const struct gb_object gb_session_object, gb_lease_object, gb_sample_object, gb_held_object;

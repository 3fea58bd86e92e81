/* SPDX-License-Identifier: Apache-2.0 */
/* Checkpoints, and sessions that are rewound to them. Bytes borrow from whoever built the
 * struct. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "model/member.h"

/* Per response. */
enum { GB_CHECKPOINTS_MAX = 1000 };

enum gb_checkpoint_flags { GB_CHECKPOINT_HERE = 1 << 0 };

/* One of `session.checkpoints` */
struct gb_checkpoint_info {
    uint64_t seq, parent, epoch, at_ns, bytes; /* parent 0: none */
    uint32_t cell;
    struct gb_bytes name;
    uint32_t flags; /* enum gb_checkpoint_flags */
};

enum gb_checkpoints_flags { GB_CHECKPOINTS_MORE = 1 << 0 };

/* `session.checkpoints` */
struct gb_checkpoints_info {
    struct gb_items checkpoints; /* struct gb_checkpoint_info */
    uint64_t epoch, bytes;
    struct gb_bytes missing; /* NULL pointer: none is */
    uint32_t flags;          /* enum gb_checkpoints_flags */
};

/* `session.checkpoint` */
struct gb_kept_info {
    uint64_t seq, bytes, pages, pause_us;
    uint32_t cell;
    uint32_t flags; /* none */
};

/* `session.rewind` */
struct gb_rewound_info {
    uint64_t seq, epoch, from_seq, took_us;
    uint32_t cell, from_cell;
    uint32_t flags; /* none */
};

/* `session.sleep`, `session.wake` */
struct gb_slept_info {
    uint64_t seq, bytes, took_us;
    uint32_t cell;
    uint32_t flags; /* none */
};

enum gb_fork_flags { GB_FORK_FAILED = 1 << 0 };

/* One of `session.fork` */
struct gb_fork_info {
    struct gb_bytes session; /* NULL pointer: it failed */
    uint32_t error;          /* enum gb_code */
    struct gb_bytes message;
    uint32_t flags; /* enum gb_fork_flags */
};

/* `session.fork` */
struct gb_forked_info {
    struct gb_items sessions; /* struct gb_fork_info */
    uint64_t seq, took_us;
    uint32_t cell;
    uint32_t flags; /* none */
};

extern const struct gb_object gb_checkpoint_object, gb_checkpoints_object, gb_kept_object,
    gb_rewound_object, gb_slept_object, gb_fork_object, gb_forked_object;

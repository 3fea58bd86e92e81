/* SPDX-License-Identifier: Apache-2.0 */
/* Checkpoints of a session. */
#include "model/past.h"
#include "rows.h"

#define PATIENCE                                                                                   \
    INTEGER("wait_ms", wait_ms, 0, 3600000, 10000,                                                 \
            "how long it may wait until the session is idle, then it fails with `busy`")

/* clang-format off */
static const struct gb_param checkpoint_params[] = {
    SESSION,
    NAME("name", name, 0, GB_NAME_MAX,
         "a name for it: it stays when there are too many; another checkpoint of this name loses it"),
    PATIENCE,
};

static const struct gb_param checkpoints_params[] = {
    SESSION,
    INTEGER("after", offset, 0, OFFSET_MAX, 0, "only those with larger numbers"),
    INTEGER("limit", limit, 1, GB_CHECKPOINTS_MAX, 100, "at most so many"),
};

static const struct gb_param rewind_params[] = {
    SESSION,
    INTEGER("cell", cell, 0, UINT32_MAX, -1, "to the moment after this cell: its newest checkpoint; 0: before the first"),
    INTEGER("seq", seq, 1, OFFSET_MAX, 0, "to the checkpoint of this number"),
    NAME("name", name, 0, GB_NAME_MAX, "to the checkpoint of this name"),
    INTEGER("cells", cells, -10000, 10000, 0,
            "to the moment before so many of the last cells, of those that led to the present state; negative: "
            "forward by so many of those that were undone last"),
    INTEGER("steps", steps, -10000, 10000, 0,
            "so many checkpoints back from now, of which one is taken: 1 is undo; negative: forward, to those that were undone last"),
    BOOL("interrupt", interrupt, 0, "a cell that runs is interrupted; else it is waited for"),
    BOOL("drop_queued", drop_queued, 0, "cells that wait are ended as interrupted; else they are waited for"),
    PATIENCE,
};

static const struct gb_param fork_params[] = {
    SESSION,
    INTEGER("count", count, 1, GB_FORKS_MAX, 1, "how many"),
    INTEGER("cell", cell, 0, UINT32_MAX, -1, "from the moment after this cell: its newest checkpoint; 0: before the first"),
    INTEGER("seq", seq, 1, OFFSET_MAX, 0, "from the checkpoint of this number"),
    NAME("name", name, 0, GB_NAME_MAX, "from the checkpoint of this name"),
    NAME("label", label, 0, GB_NAME_MAX, "theirs; default: the session's"),
    BOOL("bound", bound, 0, "they are closed when this connection closes"),
    INTEGER("wait_ms", wait_ms, 0, 3600000, 10000,
            "how long it may wait until the session is idle, then it fails with `busy`; and each of the "
            "new ones for room, then that one fails with `capacity`"),
};

static const struct gb_param sleep_params[] = {
    SESSION,
    PATIENCE,
};

static const struct gb_param wake_params[] = {
    SESSION,
    INTEGER("wait_ms", wait_ms, 0, 3600000, 60000,
            "how long it may wait for room, then it fails with `capacity`"),
};

static const struct gb_method rows[] = {
    {.name = "session.checkpoint",
     .doc = "Keeps the session as it is now: memory, files and processes. It waits until the session is idle.",
     PARAMS(checkpoint_params), .result = &gb_kept_object,
     .errors = SESSION_ERRORS | VM_ERRORS | ERROR(NOPAST)},
    {.name = "session.checkpoints",
     .doc = "The checkpoints of a session, which go with it.",
     PARAMS(checkpoints_params), .result = &gb_checkpoints_object,
     .errors = SESSION_ERRORS},
    {.name = "session.rewind",
     .doc = "Takes the session back to a checkpoint, with its memory, files and processes. Nothing is run "
            "again: generators that were seeded go on as they were then, while the kernel's random "
            "numbers are others, and the clock is right. The moment that is left is kept, so that one can "
            "go there again. One of `cell`, `seq`, `name`, `cells` and `steps`. Numbers of cells go on.",
     PARAMS(rewind_params), .result = &gb_rewound_object,
     .errors = SESSION_ERRORS | VM_ERRORS | ERROR(NOPAST) | ERROR(HELD)},
    {.name = "session.fork",
     .doc = "Opens sessions that go on from a checkpoint of this one, each by itself, with its memory, files "
            "and processes as they were then; this one goes on too. At most one of `cell`, `seq` and `name`; "
            "without one, from now: for that a checkpoint is taken when the session is idle, unless there is "
            "one. Answered when each is open or has failed.",
     PARAMS(fork_params), .result = &gb_forked_object,
     .errors = SESSION_ERRORS | VM_ERRORS | ERROR(NOPAST)},
    {.name = "session.sleep",
     .doc = "Puts the session to sleep: it is kept on disk, and its VM ends. It waits until the session is "
            "idle. It wakes when something is asked of it (a cell, a file, a terminal, or `session.open` "
            "with its key), with the same id, variables, files and processes.",
     PARAMS(sleep_params), .result = &gb_slept_object,
     .errors = SESSION_ERRORS | VM_ERRORS | ERROR(NOPAST) | ERROR(HELD)},
    {.name = "session.wake",
     .doc = "Wakes a session that is asleep, before anything is asked of it.",
     PARAMS(wake_params), .result = &gb_slept_object,
     .errors = SESSION_ERRORS | VM_ERRORS | ERROR(NOPAST)},
};
/* clang-format on */

const struct gb_method_group gb_methods_checkpoint = {rows, ARRAY_SIZE(rows)};

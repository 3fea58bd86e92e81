/* SPDX-License-Identifier: Apache-2.0 */
/* Checkpoints of a session. */
#include "model/diff.h"
#include "model/past.h"
#include "rows.h"

#define PATIENCE                                                                                   \
    INTEGER("wait_ms", wait_ms, 0, 3600000, 10000,                                                 \
            "how long to wait for the session to become idle before failing with `busy`")

/* clang-format off */
static const struct gb_param checkpoint_params[] = {
    SESSION,
    NAME("name", name, 0, GB_NAME_MAX,
         "its name: named checkpoints are not removed when there are too many; a name moves "
         "from an older checkpoint to this one"),
    PATIENCE,
};

static const struct gb_param checkpoints_params[] = {
    SESSION,
    INTEGER("after", offset, 0, OFFSET_MAX, 0, "only checkpoints with larger numbers"),
    INTEGER("limit", limit, 1, GB_CHECKPOINTS_MAX, 100, "at most this many"),
};

static const struct gb_param rewind_params[] = {
    SESSION,
    INTEGER("cell", cell, 0, UINT32_MAX, -1, "to the newest checkpoint after this cell; 0: "
                                             "before the first cell"),
    INTEGER("seq", seq, 1, OFFSET_MAX, 0, "to the checkpoint with this number"),
    NAME("name", name, 0, GB_NAME_MAX, "to the checkpoint with this name"),
    INTEGER("cells", cells, -10000, 10000, 0,
            "back by this many cells, counting only those that led to the present state; "
            "negative: forward, by this many of the cells that were undone last"),
    INTEGER("steps", steps, -10000, 10000, 0,
            "back by this many checkpoints from now, for which one is taken: 1 is undo; "
            "negative: forward, to those that were undone last"),
    BOOL("interrupt", interrupt, 0, "interrupts a running cell instead of waiting for it"),
    BOOL("drop_queued", drop_queued, 0, "ends waiting cells as interrupted instead of waiting "
                                        "for them"),
    PATIENCE,
};

static const struct gb_param fork_params[] = {
    SESSION,
    INTEGER("count", count, 1, GB_FORKS_MAX, 1, "how many"),
    INTEGER("cell", cell, 0, UINT32_MAX, -1, "from the newest checkpoint after this cell; 0: "
                                             "before the first cell"),
    INTEGER("seq", seq, 1, OFFSET_MAX, 0, "from the checkpoint with this number"),
    NAME("name", name, 0, GB_NAME_MAX, "from the checkpoint with this name"),
    NAME("label", label, 0, GB_NAME_MAX, "the label of the forks; default: the session's"),
    BOOL("bound", bound, 0, "closes the forks when this connection closes"),
    INTEGER("wait_ms", wait_ms, 0, 3600000, 10000,
            "how long to wait for the session to become idle before failing with `busy`, and "
            "how long each fork may wait for capacity before failing with `capacity`"),
};

static const struct gb_param diff_params[] = {
    SESSION,
    INTEGER("cell", cell, 0, UINT32_MAX, -1, "the first moment: the newest checkpoint after this "
                                             "cell; 0: before the first cell"),
    INTEGER("seq", seq, 1, OFFSET_MAX, 0, "the checkpoint with this number"),
    NAME("name", name, 0, GB_NAME_MAX, "the checkpoint with this name"),
    NAME("to", to, 0, GB_NAME_MAX, "the id of the session of the second moment; default: the same "
                                   "session"),
    INTEGER("to_cell", to_cell, 0, UINT32_MAX, -1, "the second moment, like `cell`"),
    INTEGER("to_seq", to_seq, 1, OFFSET_MAX, 0, "like `seq`"),
    NAME("to_name", to_name, 0, GB_NAME_MAX, "like `name`"),
    INTEGER("wait_ms", wait_ms, 0, 3600000, 10000,
            "for each moment, how long to wait for the session to become idle before failing with "
            "`busy`, and how long its fork may wait for capacity before failing with `capacity`"),
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
     .doc = "Saves the session as it is now: memory, files and processes. Waits until the "
            "session is idle.",
     PARAMS(checkpoint_params), .result = &gb_kept_object,
     .errors = SESSION_ERRORS | VM_ERRORS | ERROR(NOPAST)},
    {.name = "session.checkpoints",
     .doc = "The checkpoints of a session. They are removed together with it.",
     PARAMS(checkpoints_params), .result = &gb_checkpoints_object,
     .errors = SESSION_ERRORS},
    {.name = "session.rewind",
     .doc = "Takes the session back to a checkpoint, with its memory, files and processes. "
            "Nothing is run again: seeded generators continue from that moment, but the "
            "kernel's random numbers differ, and the clock is right. The moment that is left "
            "is saved, so that it can be returned to. Takes one of `cell`, `seq`, `name`, "
            "`cells` and `steps`. Cell numbers continue.",
     PARAMS(rewind_params), .result = &gb_rewound_object,
     .errors = SESSION_ERRORS | VM_ERRORS | ERROR(NOPAST) | ERROR(HELD)},
    {.name = "session.fork",
     .doc = "Opens sessions that continue independently from a checkpoint of this one, with "
            "its memory, files and processes at that moment; this session continues, too. "
            "Takes at most one of `cell`, `seq` and `name`. Without one, the forks continue "
            "from now: a checkpoint is taken when the session is idle, unless there is one. "
            "Answered when each fork is open or has failed.",
     PARAMS(fork_params), .result = &gb_forked_object,
     .errors = SESSION_ERRORS | VM_ERRORS | ERROR(NOPAST)},
    {.name = "session.diff",
     .doc = "Compares two moments, of one session or of two: variables, files, and the output of "
            "the cells by which they differ. Each moment takes at most one of `cell`, `seq` and "
            "`name`; without one it is now. Each is looked at in a fork, which is open for a "
            "moment and counts as a session: the sessions themselves are not touched, but a "
            "checkpoint is taken of one that is compared as it is now. What the answer says comes "
            "from the guests. Two comparisons can be under way; others fail with `busy`.",
     PARAMS(diff_params), .result = &gb_diff_object,
     .errors = SESSION_ERRORS | VM_ERRORS | ERROR(NOPAST)},
    {.name = "session.sleep",
     .doc = "Puts the session to sleep: it is saved on disk, and its VM ends. Waits until the "
            "session is idle. It wakes when it is used (for a cell, a file, a terminal, or by "
            "`session.open` with its key), with the same id, variables, files and processes.",
     PARAMS(sleep_params), .result = &gb_slept_object,
     .errors = SESSION_ERRORS | VM_ERRORS | ERROR(NOPAST) | ERROR(HELD)},
    {.name = "session.wake",
     .doc = "Wakes a session that is asleep, before it is used.",
     PARAMS(wake_params), .result = &gb_slept_object,
     .errors = SESSION_ERRORS | VM_ERRORS | ERROR(NOPAST)},
};
/* clang-format on */

const struct gb_method_group gb_methods_checkpoint = {rows, ARRAY_SIZE(rows)};

/* SPDX-License-Identifier: Apache-2.0 */
#include "model/past.h"

#include "base/limits.h"

/* clang-format off */
#define CHECKPOINT(field_, ...) GB_MEMBER(struct gb_checkpoint_info, field_, __VA_ARGS__)
static const struct gb_member checkpoint_members[] = {
    CHECKPOINT(seq, "seq", GB_U64, GB_ALWAYS, .doc = "its number"),
    CHECKPOINT(parent, "parent", GB_U64, GB_NULLABLE, .doc = "the checkpoint before it"),
    CHECKPOINT(cell, "cell", GB_U32, GB_ALWAYS, .doc = "the last cell that had ended by then"),
    CHECKPOINT(epoch, "epoch", GB_U64, GB_ALWAYS, .doc = "the session's epoch at the time"),
    CHECKPOINT(at_ns, "at", GB_SECONDS, GB_ALWAYS, .doc = "when it was taken"),
    CHECKPOINT(bytes, "bytes", GB_U64, GB_ALWAYS, .doc = "its size on disk"),
    CHECKPOINT(name, "name", GB_TEXT, GB_NULLABLE, .max = GB_NAME_MAX, .doc = "its name"),
    CHECKPOINT(flags, "here", GB_BOOL, GB_ALWAYS, .bit = GB_CHECKPOINT_HERE,
               .doc = "whether the session's present state follows it"),
};

#define CHECKPOINTS(field_, ...) GB_MEMBER(struct gb_checkpoints_info, field_, __VA_ARGS__)
static const struct gb_member checkpoints_members[] = {
    CHECKPOINTS(checkpoints, "checkpoints", GB_LIST, GB_ALWAYS, .object = &gb_checkpoint_object,
                .max = GB_CHECKPOINTS_MAX, .doc = "by number"),
    CHECKPOINTS(flags, "more", GB_BOOL, GB_ALWAYS, .bit = GB_CHECKPOINTS_MORE,
                .doc = "there are more: ask again with `after`"),
    CHECKPOINTS(epoch, "epoch", GB_U64, GB_ALWAYS,
                .doc = "1, incremented each time that the session is taken back"),
    CHECKPOINTS(bytes, "bytes", GB_U64, GB_ALWAYS, .doc = "their total size on disk"),
    CHECKPOINTS(missing, "missing", GB_TEXT, GB_NULLABLE,
                .doc = "why there is none of this moment; null: there is one, or one is about to be "
                       "taken"),
};

#define KEPT(field_, ...) GB_MEMBER(struct gb_kept_info, field_, __VA_ARGS__)
static const struct gb_member kept_members[] = {
    KEPT(seq, "seq", GB_U64, GB_ALWAYS, .doc = "its number"),
    KEPT(cell, "cell", GB_U32, GB_ALWAYS, .doc = "the last cell that had ended by then"),
    KEPT(bytes, "bytes", GB_U64, GB_ALWAYS, .doc = "its size on disk"),
    KEPT(pages, "pages", GB_U64, GB_ALWAYS,
         .doc = "pages of 4 KiB that had changed since the previous checkpoint"),
    KEPT(pause_us, "pause_us", GB_U64, GB_ALWAYS, .doc = "how long the VM was paused"),
};

#define REWOUND(field_, ...) GB_MEMBER(struct gb_rewound_info, field_, __VA_ARGS__)
static const struct gb_member rewound_members[] = {
    REWOUND(seq, "seq", GB_U64, GB_ALWAYS, .doc = "the checkpoint that the session now follows"),
    REWOUND(cell, "cell", GB_U32, GB_ALWAYS, .doc = "the last cell that had ended by then"),
    REWOUND(epoch, "epoch", GB_U64, GB_ALWAYS, .doc = "the session's new epoch"),
    REWOUND(from_seq, "from_seq", GB_U64, GB_ALWAYS,
            .doc = "the checkpoint of the state that was left: rewinding to it undoes this"),
    REWOUND(from_cell, "from_cell", GB_U32, GB_ALWAYS, .doc = "the last cell before the rewind"),
    REWOUND(took_us, "took_us", GB_U64, GB_ALWAYS, .doc = "how long it took"),
};

#define SLEPT(field_, ...) GB_MEMBER(struct gb_slept_info, field_, __VA_ARGS__)
static const struct gb_member slept_members[] = {
    SLEPT(seq, "seq", GB_U64, GB_ALWAYS,
          .doc = "the checkpoint that the session follows; 0: none"),
    SLEPT(cell, "cell", GB_U32, GB_ALWAYS, .doc = "the last cell that had ended by then"),
    SLEPT(bytes, "bytes", GB_U64, GB_ALWAYS, .doc = "total size of its checkpoints on disk"),
    SLEPT(took_us, "took_us", GB_U64, GB_ALWAYS, .doc = "how long it took"),
};

#define FORK(field_, ...) GB_MEMBER(struct gb_fork_info, field_, __VA_ARGS__)
static const struct gb_member fork_error_members[] = {
    FORK(error, "kind", GB_KIND, GB_ALWAYS, .doc = "as in `docs/errors.md`"),
    FORK(message, "message", GB_TEXT, GB_ALWAYS, .doc = "a sentence"),
};
static const struct gb_object fork_error_object = {
    GB_OBJECT_TABLE("fork_error", struct gb_fork_info, fork_error_members)};
static const struct gb_member fork_members[] = {
    FORK(session, "session", GB_TEXT, GB_NULLABLE, .max = GB_NAME_MAX,
         .doc = "its id; null: it failed"),
    FORK(session, "error", GB_OBJECT, GB_OPTIONAL, .bit = GB_FORK_FAILED,
         .object = &fork_error_object, .doc = "why it failed; absent: it is open"),
};

#define FORKED(field_, ...) GB_MEMBER(struct gb_forked_info, field_, __VA_ARGS__)
static const struct gb_member forked_members[] = {
    FORKED(sessions, "sessions", GB_LIST, GB_ALWAYS, .object = &gb_fork_object, .max = GB_FORKS_MAX,
           .doc = "as many as requested"),
    FORKED(seq, "seq", GB_U64, GB_ALWAYS, .doc = "the checkpoint that they continue from"),
    FORKED(cell, "cell", GB_U32, GB_ALWAYS, .doc = "the last cell that had ended by then"),
    FORKED(took_us, "took_us", GB_U64, GB_ALWAYS, .doc = "how long it took"),
};

const struct gb_object
    gb_checkpoint_object = {
        GB_OBJECT_TABLE("checkpoint", struct gb_checkpoint_info, checkpoint_members)},
    gb_checkpoints_object = {
        GB_OBJECT_TABLE("checkpoints", struct gb_checkpoints_info, checkpoints_members)},
    gb_kept_object = {GB_OBJECT_TABLE("kept", struct gb_kept_info, kept_members)},
    gb_slept_object = {GB_OBJECT_TABLE("slept", struct gb_slept_info, slept_members)},
    gb_rewound_object = {GB_OBJECT_TABLE("rewound", struct gb_rewound_info, rewound_members)},
    gb_fork_object = {GB_OBJECT_TABLE("fork", struct gb_fork_info, fork_members)},
    gb_forked_object = {GB_OBJECT_TABLE("forked", struct gb_forked_info, forked_members)};
/* clang-format on */

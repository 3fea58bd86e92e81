/* SPDX-License-Identifier: Apache-2.0 */
#include "model/session.h"

#include <assert.h>

#include "base/limits.h"

/* clang-format off */
#define LEASE(field_, ...) GB_MEMBER(struct gb_lease_info, field_, __VA_ARGS__)
static const struct gb_member lease_members[] = {
    LEASE(holder, "holder", GB_TEXT, GB_NULLABLE, .max = GB_NAME_MAX,
          .doc = "the client's name as in `hello`; null: unnamed"),
    LEASE(client, "client", GB_U64, GB_ALWAYS,
          .doc = "the number of its connection, as in `hello`"),
    LEASE(flags, "human", GB_BOOL, GB_ALWAYS, .bit = GB_LEASE_HUMAN, .doc = "a person holds it"),
    LEASE(since_ns, "since", GB_SECONDS, GB_ALWAYS, .doc = "when it was taken"),
    LEASE(note, "note", GB_TEXT, GB_NULLABLE, .max = GB_PATH_MAX, .doc = "the reason; null: none given"),
    LEASE(waiting, "waiting", GB_U64, GB_OPTIONAL, .bit = GB_LEASE_HAS_WAITING,
          .doc = "cells that wait for it to end; absent in the error `held`"),
};

#define SESSION(field_, ...) GB_MEMBER(struct gb_session_info, field_, __VA_ARGS__)
static const struct gb_member guest_memory_members[] = {
    SESSION(guest_total, "total", GB_U64, GB_ALWAYS, .doc = "bytes"),
    SESSION(guest_used, "used", GB_U64, GB_ALWAYS, .doc = "bytes"),
};
static const struct gb_object guest_memory_object = {
    GB_OBJECT_TABLE("guest_memory", struct gb_session_info, guest_memory_members)};

static const struct gb_member waiting_members[] = {
    SESSION(waiting_cell, "cell", GB_U32, GB_ALWAYS, .doc = "its number"),
    SESSION(waiting_client, "client", GB_TEXT, GB_NULLABLE, .max = GB_NAME_MAX,
            .doc = "who sent it"),
    SESSION(prompt, "prompt", GB_BYTES, GB_OPTIONAL, .base64 = GB_SESSION_PROMPT_BASE64,
            .max = GB_PROMPT_MAX, .doc = "as in a cell"),
};
static const struct gb_object waiting_object = {
    GB_OBJECT_TABLE("waiting", struct gb_session_info, waiting_members)};

static const struct gb_member origin_members[] = {
    SESSION(origin, "session", GB_TEXT, GB_ALWAYS, .max = GB_NAME_MAX, .doc = "its id"),
    SESSION(origin_checkpoint, "checkpoint", GB_U64, GB_ALWAYS, .doc = "the number of the checkpoint"),
    SESSION(origin_cell, "cell", GB_U32, GB_ALWAYS,
            .doc = "the last cell before it; this session's cell numbers continue after it"),
};
static const struct gb_object origin_object = {
    GB_OBJECT_TABLE("origin", struct gb_session_info, origin_members)};

/* Of one that is open; of one that has ended. */
#define OPEN .unless = GB_SESSION_HAS_ENDED
#define ENDED .unless = GB_SESSION_IS_OPEN

#define USAGE(usage_unless_, guest_unless_)                                                        \
    SESSION(memory_bytes, "memory_bytes", GB_U64, GB_NULLABLE, usage_unless_,                      \
            .bit = GB_SESSION_HAS_USAGE, .doc = "memory of the host that it uses (PSS of QEMU)"),        \
    SESSION(cpu_ns, "cpu_ms", GB_MS, GB_NULLABLE, usage_unless_, .bit = GB_SESSION_HAS_USAGE,      \
            .doc = "CPU time of QEMU"),                                                          \
    SESSION(id, "guest_memory", GB_OBJECT, GB_NULLABLE, guest_unless_,                             \
            .bit = GB_SESSION_HAS_GUEST_MEMORY, .object = &guest_memory_object,                    \
            .doc = "as last known")

static const struct gb_member sample_members[] = {
    SESSION(id, "session", GB_TEXT, GB_ALWAYS, .max = GB_NAME_MAX, .doc = "its id"),
    USAGE(.unless = 0, .unless = GB_SESSION_REPLAYED),
};

/* In the order in which they are written. */
static const struct gb_member session_members[] = {
    SESSION(id, "session", GB_TEXT, GB_ALWAYS, .max = GB_NAME_MAX, .doc = "its id"),
    SESSION(key, "key", GB_TEXT, GB_NULLABLE, .max = GB_NAME_MAX, .doc = "as given to `session.open`"),
    SESSION(label, "label", GB_TEXT, GB_NULLABLE, .max = GB_NAME_MAX, .doc = "likewise"),
    SESSION(owner, "owner", GB_TEXT, GB_NULLABLE, .max = GB_NAME_MAX, .doc = "likewise"),
    SESSION(client, "client", GB_TEXT, GB_NULLABLE, .max = GB_NAME_MAX,
            .doc = "who opened it, as in `hello`"),
    SESSION(image, "image", GB_TEXT, GB_NULLABLE, .doc = "its image; null: `damaged`"),
    SESSION(language, "language", GB_TEXT, GB_NULLABLE, .doc = "likewise"),
    SESSION(state, "state", GB_WORD, GB_ALWAYS, .words = &gb_session_state_words,
            .doc = "where it is"),
    SESSION(flags, "run", GB_BOOL, GB_ALWAYS, .bit = GB_SESSION_RUN, .doc = "it is the VM of a `run`"),
    SESSION(incarnation, "incarnation", GB_U32, GB_ALWAYS,
            .doc = "1, incremented whenever state is lost, across all sessions with its key"),
    SESSION(id, "origin", GB_OBJECT, GB_OPTIONAL, .bit = GB_SESSION_HAS_ORIGIN,
            .object = &origin_object,
            .doc = "the session that it was forked from, and where; absent: it was not"),
    SESSION(packages, "packages", GB_TEXT, GB_OPTIONAL, .max = GB_PACKAGES_LOCK_MAX,
            .doc = "those that were asked for and what they need, a line each, with the digest: "
            "as `packages` of another session they give the same; absent: none"),
    SESSION(cells, "cells", GB_U32, GB_ALWAYS, .doc = "number of cells so far"),
    SESSION(queued, "queued", GB_U32, GB_ALWAYS, OPEN, .doc = "cells that have not started"),
    SESSION(terminals, "terminals", GB_U32, GB_OPTIONAL, OPEN,
            .doc = "programs running at terminals; absent: none"),
    SESSION(created_at_ns, "created_at", GB_SECONDS, GB_NULLABLE,
            .doc = "when it was opened; null: `damaged`"),
    SESSION(last_active_at_ns, "last_active_at", GB_SECONDS, GB_ALWAYS, OPEN,
            .doc = "when it was last used"),
    SESSION(memory_mb, "memory_mb", GB_U32, GB_ALWAYS, .doc = "RAM of the VM"),
    USAGE(OPEN, OPEN),
    SESSION(lease, "lease", GB_OBJECT, GB_NULLABLE, OPEN, .bit = GB_SESSION_HAS_LEASE,
            .object = &gb_lease_object, .doc = "the client with the exclusive right to run "
                                               "cells in it"),
    SESSION(id, "waiting", GB_OBJECT, GB_NULLABLE, OPEN, .bit = GB_SESSION_HAS_WAITING,
            .object = &waiting_object, .doc = "the cell that waits for standard input"),
    SESSION(flags, "failed", GB_BOOL, GB_ALWAYS, OPEN, .bit = GB_SESSION_FAILED,
            .doc = "the last cell that ended failed: exit code, signal, time-out, memory; an "
                   "interrupted cell does not count"),
    SESSION(source, "source", GB_WORD, GB_ALWAYS, OPEN, .words = &gb_source_words,
            .doc = "where its VM came from"),
    SESSION(network, "network", GB_TEXT, GB_ALWAYS, OPEN, .doc = "`none`"),
    SESSION(expires_at_ns, "expires_at", GB_SECONDS, GB_NULLABLE, OPEN,
            .doc = "when it will be closed automatically"),
    SESSION(ended_at_ns, "ended_at", GB_SECONDS, GB_ALWAYS, ENDED, .doc = "ended: when"),
    SESSION(reason, "reason", GB_TEXT, GB_ALWAYS, ENDED,
            .doc = "ended: the reason: `closed`, `expired`, `crashed`, `lost`"),
    SESSION(message, "message", GB_TEXT, GB_ALWAYS, ENDED, .doc = "ended: the reason as a sentence"),
    SESSION(flags, "damaged", GB_BOOL, GB_OPTIONAL, ENDED, .bit = GB_SESSION_DAMAGED,
            .doc = "ended: some of its records are damaged, and their content is missing"),
};

static const struct gb_member held_members[] = {
    SESSION(lease, "lease", GB_OBJECT, GB_NULLABLE, .bit = GB_SESSION_HAS_LEASE,
            .object = &gb_lease_object, .doc = "the session's lease now"),
};
/* clang-format on */

static_assert(offsetof(struct gb_session_info, id) == 0,
              "members of the session in a nested object");

const struct gb_object gb_lease_object = {
    GB_OBJECT_TABLE("lease", struct gb_lease_info, lease_members), .has_section = true};
const struct gb_object gb_sample_object = {
    GB_OBJECT_TABLE("sample", struct gb_session_info, sample_members)};
const struct gb_object gb_session_object = {
    GB_OBJECT_TABLE("session", struct gb_session_info, session_members), .has_section = true};
const struct gb_object gb_held_object = {
    GB_OBJECT_TABLE("held", struct gb_session_info, held_members)};

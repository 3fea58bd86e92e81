/* SPDX-License-Identifier: Apache-2.0 */
#include "model/answer.h"

#include <assert.h>

#include "base/limits.h"
#include "model/cell.h"
#include "model/entry.h"
#include "model/session.h"

/* clang-format off */
#define OPENED(field_, ...) GB_MEMBER(struct gb_opened_info, field_, __VA_ARGS__)
static const struct gb_member timing_members[] = {
    OPENED(total_ns, "total_ms", GB_MS, GB_ALWAYS, .doc = "all of it"),
    OPENED(admission_ns, "admission_ms", GB_MS, GB_ALWAYS, .doc = "time until there was capacity"),
    OPENED(boot_ns, "boot_ms", GB_MS, GB_ALWAYS, .doc = "time until the agent answered"),
    OPENED(worker_ns, "worker_ms", GB_MS, GB_ALWAYS, .doc = "time until the interpreter was ready"),
};
static const struct gb_object timing_object = {
    GB_OBJECT_TABLE("timing", struct gb_opened_info, timing_members)};

#define START                                                                                      \
    OPENED(source, "source", GB_WORD, GB_ALWAYS, .words = &gb_source_words,                        \
           .doc = "where its VM came from"),                                                       \
    OPENED(session, "timing", GB_OBJECT, GB_ALWAYS, .object = &timing_object,                      \
           .doc = "how long the VM took to start")

static const struct gb_member start_members[] = {START};
static const struct gb_member opened_members[] = {
    OPENED(session, "session", GB_TEXT, GB_ALWAYS, .max = GB_NAME_MAX, .doc = "its id"),
    OPENED(flags, "created", GB_BOOL, GB_ALWAYS, .bit = GB_OPENED_CREATED,
           .doc = "false: there was one with this key"),
    OPENED(incarnation, "incarnation", GB_U32, GB_ALWAYS,
           .doc = "1, incremented whenever state is lost"),
    OPENED(reason, "reason", GB_TEXT, GB_ALWAYS, .max = GB_NAME_MAX,
           .doc = "`attached`; or why it was created: `new`, `expired` (the session with this key "
           "was idle too long or past its lifetime), `crashed` (its VM died), `closed` (a client "
           "closed it), `lost` (its server died)"),
    START,
};
static_assert(offsetof(struct gb_opened_info, session) == 0,
              "members in a nested object");

static const struct gb_member sessions_members[] = {
    GB_MEMBER(struct gb_sessions_info, sessions, "sessions", GB_LIST, GB_ALWAYS,
              .object = &gb_session_object,
              .doc = "`guest_memory` is the last known value"),
};

#define MATCH(field_, ...) GB_MEMBER(struct gb_match_info, field_, __VA_ARGS__)
static const struct gb_member match_members[] = {
    MATCH(text, "text", GB_TEXT, GB_ALWAYS, .doc = "the text of the completion"),
    MATCH(type, "type", GB_TEXT, GB_ALWAYS, .doc = "its kind: `function`, …; may be empty"),
};

#define MATCHES(field_, ...) GB_MEMBER(struct gb_matches_info, field_, __VA_ARGS__)
static const struct gb_member matches_members[] = {
    MATCHES(matches, "matches", GB_LIST, GB_ALWAYS, .object = &gb_match_object, .doc = "all of them"),
    MATCHES(start, "start", GB_U32, GB_ALWAYS,
            .doc = "start of the text that a match replaces, in code points"),
    MATCHES(end, "end", GB_U32, GB_ALWAYS, .doc = "to here"),
};

#define WHOLE(field_, ...) GB_MEMBER(struct gb_whole_info, field_, __VA_ARGS__)
static const struct gb_member whole_members[] = {
    WHOLE(status, "status", GB_WORD, GB_ALWAYS, .words = &gb_completeness_words,
          .doc = "whether the code is complete"),
    WHOLE(indent, "indent", GB_TEXT, GB_ALWAYS, .doc = "indentation for the next line"),
};

#define DESCRIPTION(field_, ...) GB_MEMBER(struct gb_description_info, field_, __VA_ARGS__)
static const struct gb_member description_members[] = {
    DESCRIPTION(type, "type", GB_TEXT, GB_ALWAYS,
                .doc = "the name's kind, as in `session.complete`; empty: nothing is known of it"),
    DESCRIPTION(signature, "signature", GB_TEXT, GB_ALWAYS,
                .doc = "a function's or class's parameters, like `(a, b=1, *, c)`; may be empty"),
    DESCRIPTION(summary, "summary", GB_TEXT, GB_ALWAYS,
                .doc = "the first line of its documentation; may be empty"),
};

#define HISTORY(field_, ...) GB_MEMBER(struct gb_history_info, field_, __VA_ARGS__)
static const struct gb_member history_members[] = {
    HISTORY(cells, "cells", GB_LIST, GB_ALWAYS, .object = &gb_cell_object,
            .doc = "in order, each also with its `incarnation`; a running cell has the `state` "
                   "`running`, a cell that ended without a result has `error`; with `length` "
                   "also `offset` (where the part begins), `stdout_bytes` and `stderr_bytes` "
                   "(the full sizes)"),
    HISTORY(flags, "more", GB_BOOL, GB_ALWAYS, .bit = GB_PAGE_MORE,
            .doc = "there are more cells, or with `find` cells that were not searched: ask again"),
    HISTORY(next, "next", GB_U32, GB_OPTIONAL, .bit = GB_PAGE_HAS_NEXT,
            .doc = "the value of `after`, or of `before` if that was given, for the next "
                   "request; absent without `more`"),
};

#define LISTING(field_, ...) GB_MEMBER(struct gb_listing_info, field_, __VA_ARGS__)
static const struct gb_member listing_members[] = {
    LISTING(entries, "entries", GB_LIST, GB_ALWAYS, .object = &gb_entry_object, .max = GB_LIST_MAX,
            .doc = "sorted by name, bytewise"),
    LISTING(flags, "more", GB_BOOL, GB_ALWAYS, .bit = GB_PAGE_MORE,
            .doc = "there are more entries: ask again with `next`"),
    LISTING(next, "next", GB_TEXT, GB_OPTIONAL, .max = 2 * GB_FILE_NAME_MAX,
            .doc = "the value of `next` for the next request; absent: there are no more"),
};

#define PIECE(field_, ...) GB_MEMBER(struct gb_piece_info, field_, __VA_ARGS__)
static const struct gb_member piece_members[] = {
    PIECE(data, "text", GB_PAIR, GB_ALWAYS, .base64 = GB_PIECE_BASE64, .max = GB_READ_MAX,
          .doc = "the bytes"),
    PIECE(size, "size", GB_U64, GB_ALWAYS, .doc = "size of the whole file"),
    PIECE(flags, "eof", GB_BOOL, GB_ALWAYS, .bit = GB_PIECE_EOF,
          .doc = "the file ends with these bytes; while false, continue after them"),
};

static const struct gb_member written_members[] = {
    GB_MEMBER(struct gb_written_info, size, "size", GB_U64, GB_ALWAYS,
              .doc = "size of the upload so far, or with `final` of the file"),
};
static const struct gb_member subscribed_members[] = {
    GB_MEMBER(struct gb_subscribed_info, subscription, "subscription", GB_U64, GB_ALWAYS,
              .doc = "its number"),
};

const struct gb_object
    gb_opened_object = {GB_OBJECT_TABLE("opened", struct gb_opened_info, opened_members)},
    gb_start_object = {GB_OBJECT_TABLE("start", struct gb_opened_info, start_members)},
    gb_sessions_object = {GB_OBJECT_TABLE("sessions", struct gb_sessions_info, sessions_members)},
    gb_match_object = {GB_OBJECT_TABLE("match", struct gb_match_info, match_members)},
    gb_matches_object = {GB_OBJECT_TABLE("matches", struct gb_matches_info, matches_members)},
    gb_whole_object = {GB_OBJECT_TABLE("completeness", struct gb_whole_info, whole_members)},
    gb_description_object = {
        GB_OBJECT_TABLE("description", struct gb_description_info, description_members)},
    gb_history_object = {GB_OBJECT_TABLE("history", struct gb_history_info, history_members)},
    gb_listing_object = {GB_OBJECT_TABLE("listing", struct gb_listing_info, listing_members)},
    gb_piece_object = {GB_OBJECT_TABLE("piece", struct gb_piece_info, piece_members)},
    gb_written_object = {GB_OBJECT_TABLE("written", struct gb_written_info, written_members)},
    gb_subscribed_object = {
        GB_OBJECT_TABLE("subscribed", struct gb_subscribed_info, subscribed_members)};
/* clang-format on */

/* SPDX-License-Identifier: Apache-2.0 */
#include "model/event.h"

#include "base/limits.h"

/* clang-format off */
#define EVENT(field_, ...) GB_MEMBER(struct gb_event_info, field_, __VA_ARGS__)

/* In the order in which they are written. */
static const struct gb_member event_members[] = {
    EVENT(subscription, "subscription", GB_U64, GB_OPTIONAL, .doc = "whose it is"),
    EVENT(seq, "seq", GB_U64, GB_OPTIONAL, .doc = "counts its events"),
    EVENT(at_ns, "at", GB_SECONDS, GB_ALWAYS, .doc = "when it happened"),
    EVENT(kind, "kind", GB_TEXT, GB_ALWAYS, .max = GB_NAME_MAX, .doc = "what happened"),
    EVENT(session, "session", GB_TEXT, GB_OPTIONAL, .max = GB_NAME_MAX, .doc = "the session it is about"),
    EVENT(cell, "cell", GB_U32, GB_OPTIONAL, .doc = "the cell it is about"),
    EVENT(question, "question", GB_U64, GB_OPTIONAL, .doc = "the question it is about"),
    EVENT(info, "info", GB_MAP, GB_OPTIONAL, .doc = "the session, cell, terminal or question"),
    EVENT(flags, "waiting", GB_BOOL, GB_OPTIONAL, .bit = GB_EVENT_WAITING,
          .doc = "`cell.waiting`: the program waits for standard input"),
    EVENT(lease, "lease", GB_OBJECT, GB_OPTIONAL, .bit = GB_EVENT_HAS_LEASE,
          .object = &gb_lease_object, .doc = "`lease.changed`: the new one"),
    EVENT(reason, "reason", GB_TEXT, GB_OPTIONAL, .doc = "why"),
    EVENT(message, "message", GB_TEXT, GB_OPTIONAL, .doc = "a sentence"),
    EVENT(note, "note", GB_TEXT, GB_OPTIONAL, .doc = "`lease.changed`: the holder's note"),
    EVENT(network, "network", GB_TEXT, GB_OPTIONAL, .max = GB_NAME_MAX,
          .doc = "`network.changed`: the network's name"),
    EVENT(dropped, "dropped", GB_U64, GB_OPTIONAL, .doc = "`gap`: the number of events that were "
                                                          "left out"),
    EVENT(flags, "replay", GB_BOOL, GB_OPTIONAL, .bit = GB_EVENT_REPLAY,
          .doc = "it happened before the subscription"),
    EVENT(samples, "sessions", GB_ARRAY, GB_OPTIONAL, .doc = "`snapshot`, `sample`"),
    EVENT(cells, "cells", GB_ARRAY, GB_OPTIONAL, .doc = "`snapshot`"),
    EVENT(host, "host", GB_MAP, GB_OPTIONAL, .doc = "`snapshot`, `sample`"),
    EVENT(pool, "pool", GB_MAP, GB_OPTIONAL, .doc = "`snapshot`, `pool.changed`"),
    EVENT(questions, "questions", GB_ARRAY, GB_OPTIONAL, .doc = "`snapshot`"),
};

#define OUTPUT(field_, ...) GB_MEMBER(struct gb_output_info, field_, __VA_ARGS__)
#define PIECE                                                                                      \
    OUTPUT(cell, "cell", GB_U32, GB_ALWAYS, .doc = "whose"),                                       \
    OUTPUT(stream, "stream", GB_WORD, GB_ALWAYS, .words = &gb_output_words,                        \
           .doc = "of its streams"),                                                               \
    OUTPUT(data, "text", GB_PAIR, GB_ALWAYS, .base64 = GB_OUTPUT_BASE64, .doc = "the bytes")

static const struct gb_member output_members[] = {
    PIECE,
    OUTPUT(flags, "background", GB_BOOL, GB_OPTIONAL, .bit = GB_OUTPUT_BACKGROUND,
           .doc = "it was printed after the end of its cell"),
    OUTPUT(flags, "replay", GB_BOOL, GB_OPTIONAL, .bit = GB_OUTPUT_REPLAY,
           .doc = "it was printed before the subscription"),
};
static const struct gb_member background_members[] = {
    PIECE,
    OUTPUT(dropped, "dropped", GB_U64, GB_ALWAYS, .doc = "bytes that were left out"),
};

#define WAITING(field_, ...) GB_MEMBER(struct gb_waiting_info, field_, __VA_ARGS__)

static const struct gb_member started_members[] = {
    WAITING(cell, "cell", GB_U32, GB_ALWAYS, .doc = "that has begun"),
};
static const struct gb_member waiting_members[] = {
    WAITING(cell, "cell", GB_U32, GB_ALWAYS, .doc = "whose program it is"),
    WAITING(flags, "on", GB_BOOL, GB_ALWAYS, .bit = GB_WAITING_ON,
            .doc = "whether it is waiting for standard input"),
};

static const struct gb_member preparing_members[] = {
    GB_MEMBER(struct gb_preparing_info, text, "text", GB_TEXT, GB_ALWAYS,
              .doc = "what is being done before it can start"),
};
/* clang-format on */

const struct gb_object gb_event_object = {
    GB_OBJECT_TABLE("event", struct gb_event_info, event_members)};
const struct gb_object gb_output_object = {
    GB_OBJECT_TABLE("output", struct gb_output_info, output_members)};
const struct gb_object gb_background_object = {
    GB_OBJECT_TABLE("background", struct gb_output_info, background_members)};
const struct gb_object gb_started_object = {
    GB_OBJECT_TABLE("cell_started", struct gb_waiting_info, started_members)};
const struct gb_object gb_waiting_object = {
    GB_OBJECT_TABLE("cell_waiting", struct gb_waiting_info, waiting_members)};
const struct gb_object gb_preparing_object = {
    GB_OBJECT_TABLE("session_preparing", struct gb_preparing_info, preparing_members)};

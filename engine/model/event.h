/* SPDX-License-Identifier: Apache-2.0 */
/* What a server sends without a request: events, and the output of cells. Bytes borrow from whoever
 * built the struct. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "model/member.h"
#include "model/session.h"

enum gb_event_flags {
    GB_EVENT_WAITING = 1 << 0,
    GB_EVENT_REPLAY = 1 << 1,
    GB_EVENT_HAS_LEASE = 1 << 2,
};

/* An event. The first members are those of every kind; which of the others a kind has is listed in
 * docs/protocol.md, Events. Objects that need a table of their own, by the kind, stay JSON (const
 * struct gb_json *; NULL: absent). */
struct gb_event_info {
    uint64_t subscription; /* written by the server itself, like the next */
    uint64_t seq;
    uint64_t at_ns; /* wall clock */
    struct gb_bytes kind, session;
    uint32_t cell;
    uint32_t flags;      /* enum gb_event_flags */
    const void *info;    /* a session, a cell, a terminal or a question */
    const void *host;    /* gb_host_object */
    const void *pool;    /* gb_capacity_object */
    const void *cells;   /* an array of cells */
    const void *samples; /* `sessions`: an array, of gb_sample_object in a sample, else sessions */
    struct gb_lease_info lease;
    struct gb_bytes reason, message, note, network;
    uint64_t dropped;      /* events that were left out */
    uint64_t question;     /* its number in the session */
    const void *questions; /* an array, of gb_question_object */
};

enum gb_output_flags {
    GB_OUTPUT_BACKGROUND = 1 << 0,
    GB_OUTPUT_REPLAY = 1 << 1,
    GB_OUTPUT_BASE64 = 1 << 2, /* in a reader: the data is in base64 */
};

/* A piece of a cell's output: in the event and the notification `cell.output`, and as an element of
 * `background` in a reply. */
struct gb_output_info {
    uint32_t cell;
    uint8_t stream; /* enum gb_output */
    struct gb_bytes data;
    uint64_t dropped; /* bytes; of an element of `background` */
    uint32_t flags;   /* enum gb_output_flags */
};

enum gb_waiting_flags { GB_WAITING_ON = 1 << 0 };

/* The notifications `cell.started` (only the cell) and `cell.waiting`. */
struct gb_waiting_info {
    uint32_t cell;
    uint32_t flags; /* enum gb_waiting_flags */
};

/* The notification `session.preparing`. */
struct gb_preparing_info {
    struct gb_bytes text;
    uint32_t flags; /* none */
};

extern const struct gb_object gb_event_object, gb_output_object, gb_background_object,
    gb_started_object, gb_waiting_object, gb_preparing_object;

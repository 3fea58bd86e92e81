/* SPDX-License-Identifier: Apache-2.0 */
/* The table of frames: the sender of each, its role, its fields, and the deadline for its answer.
 * The dispatchers of agent and engine, the fuzz target and the table in docs/guest.md are generated
 * from it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "wire/fields.h"
#include "wire/guest.h"

enum gb_frame_way { GB_WAY_TO_GUEST = 1, GB_WAY_TO_HOST = 2, GB_WAY_BOTH = 3 };

enum gb_frame_role {
    GB_ROLE_NEWS,    /* unsolicited, and not answered */
    GB_ROLE_REQUEST, /* answered with the row's `answer`, or with ERROR */
    GB_ROLE_ANSWER,  /* an answer to the request with its id */
    GB_ROLE_CELL,    /* about the cell in its header */
    GB_ROLE_STREAM,  /* about the stream in its header: mux.h */
};

/* How long the host waits for the answer to a request. */
enum gb_frame_deadline {
    GB_DEADLINE_USUAL,
    GB_DEADLINE_QUERY, /* a person is typing */
    GB_DEADLINE_WARM,  /* interpreters load their modules */
    GB_DEADLINE_COUNT
};

struct gb_frame_info {
    const char *name;
    enum gb_frame_way way;
    enum gb_frame_role role;
    enum gb_guest_type answer; /* of a request */
    enum gb_frame_deadline deadline;
    bool changes; /* a request that, sent but not answered, may have had an effect */
    bool files;   /* a request about files: ordered after earlier calls that change files */
    bool raw;     /* the payload is raw bytes, or consists of parts with their own tables */
    const struct gb_fields *fields; /* NULL: none */
};

/* NULL: no such type. */
const struct gb_frame_info *gb_frame_info(uint16_t type);
/* Decodes the payload of a frame whose type has a table or no payload; -GB_EINTERNAL if there is no
 * such type. @ret_message: as for gb_fields_decode(). */
int gb_frame_decode(const struct gb_frame *frame, void *ret_message, struct gb_err *err);
uint64_t gb_frame_deadline_ms(enum gb_frame_deadline deadline);
/* The table of docs/guest.md. */
void gb_frames_markdown(struct gb_buf *buf);

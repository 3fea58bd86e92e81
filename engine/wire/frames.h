/* SPDX-License-Identifier: Apache-2.0 */
/* The table of frames: who sends each, what it has to do with others, its fields, how long its
 * answer may take. The agent's and the engine's dispatch, the fuzz target and the table of
 * docs/guest.md are made from it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "wire/fields.h"
#include "wire/guest.h"

enum gb_frame_way { GB_WAY_TO_GUEST = 1, GB_WAY_TO_HOST = 2, GB_WAY_BOTH = 3 };

enum gb_frame_role {
    GB_ROLE_NEWS,    /* said unasked, and not answered */
    GB_ROLE_REQUEST, /* answered with `answer` of its row, or with ERROR */
    GB_ROLE_ANSWER,  /* likewise, to the request of its id */
    GB_ROLE_CELL,    /* of the cell in its header */
    GB_ROLE_STREAM,  /* of the stream in its header: mux.h */
};

/* How long the host waits for the answer to a request. */
enum gb_frame_deadline {
    GB_DEADLINE_USUAL,
    GB_DEADLINE_QUERY, /* somebody types */
    GB_DEADLINE_WARM,  /* interpreters load what they have */
    GB_DEADLINE_COUNT
};

struct gb_frame_info {
    const char *name;
    enum gb_frame_way way;
    enum gb_frame_role role;
    enum gb_guest_type answer; /* of a request */
    enum gb_frame_deadline deadline;
    bool changes; /* a request that was sent and not answered may have changed something */
    bool files;   /* a request about files: what it finds is what calls before it have made */
    bool raw;     /* the payload is bytes, or is made up of parts that have fields */
    const struct gb_fields *fields; /* NULL: none */
};

/* NULL: there is no such type. */
const struct gb_frame_info *gb_frame_info(uint16_t type);
/* What a frame of the type may hold, for those that have a table or nothing: -GB_EINTERNAL when
 * there is no such type. @ret_message: as gb_fields_decode(). */
int gb_frame_decode(const struct gb_frame *frame, void *ret_message, struct gb_err *err);
uint64_t gb_frame_deadline_ms(enum gb_frame_deadline deadline);
/* The table of docs/guest.md. */
void gb_frames_markdown(struct gb_buf *buf);

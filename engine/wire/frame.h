/* SPDX-License-Identifier: Apache-2.0 */
/* Guest frames: a header of 16 bytes and a payload. docs/guest.md describes the layout. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum { GB_FRAME_HEADER = 16 };

struct gb_frame {
    uint16_t type;  /* enum gb_guest_type */
    uint16_t flags; /* depends on the type */
    uint32_t id;    /* request id, 0 if the guest speaks unasked */
    uint32_t cell;  /* 0: none */
    struct gb_bytes payload;
};

/* Writes the header of a frame with @size payload bytes, which the caller sends next. */
void gb_frame_header(uint8_t header[GB_FRAME_HEADER], const struct gb_frame *frame, size_t size);

/* Adds a frame with its payload. Aborts if memory runs out: the payload is ours. */
void gb_frame_add(struct gb_buf *buf, const struct gb_frame *frame);

/* Parses the next frame at the front of @input. Returns 1 and fills @ret_frame, whose payload
 * borrows from @input until the caller has consumed @ret_size bytes; 0 if more bytes are needed
 * (*@ret_size is then the required total, and if that is more than GB_FRAME_HEADER, @ret_frame is
 * the frame without its payload); -GB_EINTERNAL if the peer violates the format. */
int gb_frame_next(struct gb_bytes input, struct gb_frame *ret_frame, size_t *ret_size,
                  struct gb_err *err);

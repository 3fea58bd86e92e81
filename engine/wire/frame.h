/* SPDX-License-Identifier: Apache-2.0 */
/* Guest frames: a header of 16 bytes, then the payload. The layout stands in docs/guest.md. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum { GB_FRAME_HEADER = 16 };

struct gb_frame {
    uint16_t type;  /* enum gb_guest_type */
    uint16_t flags; /* by type */
    uint32_t id;    /* request, 0 where the guest speaks by itself */
    uint32_t cell;  /* 0 where there is none */
    struct gb_bytes payload;
};

/* Writes the header of a frame with @size payload bytes, which the caller sends behind it. */
void gb_frame_header(uint8_t header[GB_FRAME_HEADER], const struct gb_frame *frame, size_t size);

/* Adds a frame, payload and all. Aborts when there is no memory: the payload is ours. */
void gb_frame_add(struct gb_buf *buf, const struct gb_frame *frame);

/* Takes the next frame off the front of @input, which holds what has been read so far.
 * Returns 1 and fills @ret_frame, whose payload borrows from @input until the caller has consumed
 * @ret_size bytes of it; 0 when more bytes are needed (then *@ret_size is how many there must be
 * in all); -GB_EINTERNAL when the peer breaks the format. */
int gb_frame_next(struct gb_bytes input, struct gb_frame *ret_frame, size_t *ret_size,
                  struct gb_err *err);

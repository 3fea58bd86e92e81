/* SPDX-License-Identifier: Apache-2.0 */
#include "frame.h"

#include "base/limits.h"

void gb_frame_header(uint8_t header[GB_FRAME_HEADER], const struct gb_frame *frame, size_t size)
{
    const uint32_t words[4] = {(uint32_t)size, frame->type | (uint32_t)frame->flags << 16,
                               frame->id, frame->cell};

    for (size_t i = 0; i < GB_FRAME_HEADER; i++)
        header[i] = (uint8_t)(words[i / 4] >> (8 * (i % 4)));
}

void gb_frame_add(struct gb_buf *buf, const struct gb_frame *frame)
{
    uint8_t header[GB_FRAME_HEADER];

    gb_frame_header(header, frame, frame->payload.size);
    gb_buf_add(buf, header, sizeof(header));
    gb_buf_add(buf, frame->payload.data, frame->payload.size);
}

int gb_frame_next(struct gb_bytes input, struct gb_frame *ret_frame, size_t *ret_size,
                  struct gb_err *err)
{
    uint32_t size;

    if (input.size < GB_FRAME_HEADER) {
        *ret_size = GB_FRAME_HEADER;
        return 0;
    }
    size = gb_get_u32(input.data);
    if (size > GB_FRAME_MAX)
        return gb_err_set(err, GB_EINTERNAL, "a frame of %u bytes exceeds the limit of %u", size,
                          GB_FRAME_MAX);
    *ret_size = GB_FRAME_HEADER + (size_t)size;
    *ret_frame = (struct gb_frame){
        .type = gb_get_u16(input.data + 4),
        .flags = gb_get_u16(input.data + 6),
        .id = gb_get_u32(input.data + 8),
        .cell = gb_get_u32(input.data + 12),
    };
    if (input.size < *ret_size)
        return 0;
    ret_frame->payload = (struct gb_bytes){input.data + GB_FRAME_HEADER, size};
    return 1;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "pace.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

enum { GAP_MS = 5, FIRST_CAPACITY = 4 };

static const uint32_t is_stderr_bit = UINT32_C(1) << 31;

void gb_pace_release(struct gb_pace *pace)
{
    for (size_t i = 0; i < ARRAY_SIZE(pace->streams); i++)
        free(pace->streams[i].steps);
}

static void join_neighbours(struct gb_pace_stream *stream)
{
    for (uint32_t i = 0; i < stream->count / 2; i++) {
        stream->steps[i] = stream->steps[(size_t)2 * i];
        stream->steps[i].size += stream->steps[(size_t)2 * i + 1].size;
    }
    stream->count /= 2;
    stream->gap_ms *= 2;
}

static void pace_grow(struct gb_pace_stream *stream)
{
    uint32_t capacity = MAX(stream->capacity * 2, (uint32_t)FIRST_CAPACITY);
    struct gb_pace_step *steps = xcalloc(capacity, sizeof(*steps));

    if (stream->steps != NULL)
        memcpy(steps, stream->steps, stream->count * sizeof(*steps));
    free(stream->steps);
    stream->steps = steps;
    stream->capacity = capacity;
}

void gb_pace_add(struct gb_pace *pace, bool is_stderr, uint64_t at_ns, size_t size)
{
    struct gb_pace_stream *stream = &pace->streams[is_stderr];
    struct gb_pace_step *steps = stream->steps;
    struct gb_pace_step *last = steps != NULL ? &steps[stream->count - 1] : NULL;
    uint32_t at_ms = (uint32_t)MIN(at_ns / GB_NS_PER_MS, (uint64_t)UINT32_MAX);

    if (last != NULL && at_ms - last->at_ms < stream->gap_ms) {
        last->size += (uint32_t)size;
        return;
    }
    if (steps != NULL && stream->count == GB_PACE_STEPS)
        join_neighbours(stream);
    if (stream->steps == NULL || stream->count == stream->capacity)
        pace_grow(stream);
    if (stream->gap_ms == 0)
        stream->gap_ms = GAP_MS;
    stream->steps[stream->count++] = (struct gb_pace_step){at_ms, (uint32_t)size, is_stderr};
}

void gb_pace_encode(const struct gb_pace *pace, struct gb_buf *to)
{
    const struct gb_pace_stream *out = &pace->streams[0], *err = &pace->streams[1];
    uint32_t i = 0, j = 0;

    while (i < out->count || j < err->count) {
        bool is_stderr =
            i == out->count || (j < err->count && err->steps[j].at_ms < out->steps[i].at_ms);
        const struct gb_pace_step *step = is_stderr ? &err->steps[j++] : &out->steps[i++];

        gb_buf_add_u32(to, step->at_ms);
        gb_buf_add_u32(to, step->size | (is_stderr ? is_stderr_bit : 0));
    }
}

bool gb_pace_next(struct gb_bytes encoded, size_t *at, struct gb_pace_step *ret_step)
{
    uint32_t size;

    if (encoded.size - *at < GB_PACE_STEP_BYTES)
        return false;
    size = gb_get_u32(encoded.data + *at + 4);
    *ret_step = (struct gb_pace_step){gb_get_u32(encoded.data + *at), size & ~is_stderr_bit,
                                      (size & is_stderr_bit) != 0};
    *at += GB_PACE_STEP_BYTES;
    return true;
}

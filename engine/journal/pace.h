/* SPDX-License-Identifier: Apache-2.0 */
/* The timing of a cell's output, for replaying a session: steps of time and size.
 *
 * Each stream has GB_PACE_STEPS steps. When they are used up, neighbouring steps are merged, and
 * from then on output that comes shortly after a step is added to it: so steps get coarser with
 * more output, and their sizes always add up to the size of the stream.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum {
    GB_PACE_STEPS = 256,
    GB_PACE_STEP_BYTES = 8, /* encoded */
    GB_PACE_MAX = 2 * GB_PACE_STEPS * GB_PACE_STEP_BYTES,
};

struct gb_pace_step {
    uint32_t at_ms; /* since the start of the cell */
    uint32_t size;  /* bytes */
    bool is_stderr;
};

struct gb_pace_stream {
    struct gb_pace_step *steps;
    uint32_t count, capacity, gap_ms;
};

/* Zeroed at first. Embed it. */
struct gb_pace {
    struct gb_pace_stream streams[2]; /* standard output, standard error */
};

void gb_pace_release(struct gb_pace *pace);
/* @size bytes were output; times must not go back. */
void gb_pace_add(struct gb_pace *pace, bool is_stderr, uint64_t at_ns, size_t size);
/* All steps in order of time, at most GB_PACE_MAX bytes. */
void gb_pace_encode(const struct gb_pace *pace, struct gb_buf *to);
/* The step at *@at (0 at first); false after the last. Accepts arbitrary bytes. */
bool gb_pace_next(struct gb_bytes encoded, size_t *at, struct gb_pace_step *ret_step);

/* SPDX-License-Identifier: Apache-2.0 */
/* Time: monotonic nanoseconds for durations, wall-clock nanoseconds only at the edge. */
#pragma once

#include <stdint.h>

#define GB_NS_PER_MS UINT64_C(1000000)
#define GB_NS_PER_S UINT64_C(1000000000)

uint64_t gb_clock_mono_ns(void);
uint64_t gb_clock_wall_ns(void);

static inline double gb_ns_to_ms(uint64_t ns)
{
    return (double)ns / (double)GB_NS_PER_MS;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "clock.h"

#include <time.h>

static uint64_t read_clock(clockid_t id)
{
    struct timespec now = {0};

    (void)clock_gettime(id, &now); /* cannot fail for the two clocks below */
    return (uint64_t)now.tv_sec * GB_NS_PER_S + (uint64_t)now.tv_nsec;
}

uint64_t gb_clock_mono_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

uint64_t gb_clock_wall_ns(void)
{
    return read_clock(CLOCK_REALTIME);
}

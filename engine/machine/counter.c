/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/counter.h"

#include "base/clock.h"

#if defined(__x86_64__)
/* Reads both clocks at the same moment: the closest of a few pairs. */
void gb_counter_start(struct gb_counter *ret_start)
{
    uint64_t best = UINT64_MAX;

    for (int i = 0; i < 8; i++) {
        uint64_t before = __builtin_ia32_rdtsc();
        uint64_t ns = gb_clock_mono_ns();
        uint64_t after = __builtin_ia32_rdtsc();

        if (after - before >= best)
            continue;
        best = after - before;
        ret_start->ns = ns;
        ret_start->ticks = before + best / 2;
    }
}

uint32_t gb_counter_khz(const struct gb_counter *start)
{
    struct gb_counter now;
    uint64_t khz;

    gb_counter_start(&now);
    if (now.ns <= start->ns || now.ticks <= start->ticks)
        return 0;
    /* Ticks per second times a second or so in nanoseconds fits into 64 bits. */
    khz = (uint64_t)((double)(now.ticks - start->ticks) * 1e6 / (double)(now.ns - start->ns) + 0.5);
    return khz < UINT32_MAX ? (uint32_t)khz : 0;
}
#else
void gb_counter_start(struct gb_counter *ret_start)
{
    *ret_start = (struct gb_counter){0};
}

uint32_t gb_counter_khz(const struct gb_counter *start)
{
    (void)start;
    return 0;
}
#endif

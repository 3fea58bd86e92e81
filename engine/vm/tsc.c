#include "tsc.h"

#include "base/clock.h"

#if defined(__x86_64__)
#include <x86intrin.h>

enum { INTERVAL_MIN_NS = 10 * 1000 * 1000 };

struct tsc_sample tsc_sample(void)
{
    struct tsc_sample best = {0};
    uint64_t best_took = UINT64_MAX;

    /* The reading that was interrupted least. */
    for (int i = 0; i < 5; i++) {
        uint64_t before = gb_clock_mono_ns();
        uint64_t tsc = __rdtsc();
        uint64_t took = gb_clock_mono_ns() - before;

        if (took < best_took) {
            best_took = took;
            best = (struct tsc_sample){tsc, before + took / 2};
        }
    }
    return best;
}

uint64_t tsc_khz(const struct tsc_sample *begin)
{
    struct tsc_sample end = tsc_sample();

    while (end.ns - begin->ns < INTERVAL_MIN_NS)
        end = tsc_sample();
    return (uint64_t)((double)(end.tsc - begin->tsc) * 1e6 / (double)(end.ns - begin->ns) + 0.5);
}

#else

struct tsc_sample tsc_sample(void)
{
    return (struct tsc_sample){0};
}

uint64_t tsc_khz(const struct tsc_sample *begin)
{
    (void)begin;
    return 0;
}

#endif

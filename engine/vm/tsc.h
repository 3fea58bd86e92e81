/* The frequency of the time stamp counter, told to an emulated guest.
 *
 * Under emulation the guest's counter is the host's. A guest measures its frequency against the
 * emulated interval timer; on a busy host that fails now and then, and the kernel then waits for ever
 * for a clock ("tsc: Unable to calibrate against PIT"). So the host measures, over a longer time than
 * any guest would take, and tells it on the kernel's command line (tsc_early_khz). */
#pragma once

#include <stdint.h>

/* One reading of the counter and the monotonic clock. */
struct tsc_sample {
    uint64_t tsc, ns;
};

struct tsc_sample tsc_sample(void);

/* kHz since @begin, the more exact the longer ago that is; waits until 10 ms have gone by, which only
 * the first VM of a process can come to feel. 0 where there is no such counter. */
uint64_t tsc_khz(const struct tsc_sample *begin);

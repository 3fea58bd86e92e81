/* SPDX-License-Identifier: Apache-2.0 */
/* The rate of the processor's time stamp counter, for guest kernels that would otherwise have to
 * calibrate it. */
#pragma once

#include <stdint.h>

struct gb_counter {
    uint64_t ns, ticks;
};
void gb_counter_start(struct gb_counter *ret_start);
/* Measured from @start to now, which should be some milliseconds apart. 0 if there is no such
 * counter, or if a kernel can read its rate from the processor. */
uint32_t gb_counter_khz(const struct gb_counter *start);

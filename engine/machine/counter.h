/* SPDX-License-Identifier: Apache-2.0 */
/* The rate of the processor's time stamp counter, for kernels that would have to measure it. */
#pragma once

#include <stdint.h>

struct gb_counter {
    uint64_t ns, ticks;
};
void gb_counter_start(struct gb_counter *ret_start);
/* From @start to now: some milliseconds should lie between. 0 where there is no such counter, or a
 * kernel reads its rate from the processor. */
uint32_t gb_counter_khz(const struct gb_counter *start);

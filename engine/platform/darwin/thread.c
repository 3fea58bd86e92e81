/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/thread.h"

#include <time.h>

#include "base/clock.h"

void gb_condition_init(pthread_cond_t *condition)
{
    (void)pthread_cond_init(condition, NULL);
}

/* Conditions know no clock but the wall clock here, and a relative time-out, which no change of
 * that clock affects. */
void gb_condition_wait_until(pthread_cond_t *condition, pthread_mutex_t *lock, uint64_t until_ns)
{
    const uint64_t now_ns = gb_clock_mono_ns();
    const uint64_t left_ns = until_ns > now_ns ? until_ns - now_ns : 0;
    const struct timespec left = {(time_t)(left_ns / GB_NS_PER_S), (long)(left_ns % GB_NS_PER_S)};

    (void)pthread_cond_timedwait_relative_np(condition, lock, &left);
}

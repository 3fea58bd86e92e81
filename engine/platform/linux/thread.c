/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/thread.h"

#include <time.h>

#include "base/clock.h"

void gb_condition_init(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;

    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(condition, &attributes);
    (void)pthread_condattr_destroy(&attributes);
}

void gb_condition_wait_until(pthread_cond_t *condition, pthread_mutex_t *lock, uint64_t until_ns)
{
    const struct timespec until = {(time_t)(until_ns / GB_NS_PER_S),
                                   (long)(until_ns % GB_NS_PER_S)};

    (void)pthread_cond_timedwait(condition, lock, &until);
}

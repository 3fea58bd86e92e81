/* SPDX-License-Identifier: Apache-2.0 */
/* Timed waiting in a thread, on the clock of base/clock.h. */
#pragma once

#include <pthread.h>
#include <stdint.h>

/* A condition variable whose time-outs use the monotonic clock; destroy it with
 * pthread_cond_destroy(). */
void gb_condition_init(pthread_cond_t *condition);

/* Like pthread_cond_timedwait(), until gb_clock_mono_ns() reaches @until_ns. */
void gb_condition_wait_until(pthread_cond_t *condition, pthread_mutex_t *lock, uint64_t until_ns);

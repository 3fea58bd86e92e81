/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting in a thread, by the clock of base/clock.h. */
#pragma once

#include <pthread.h>
#include <stdint.h>

/* A condition whose time-outs are on the monotonic clock; pthread_cond_destroy() ends it. */
void gb_condition_init(pthread_cond_t *condition);

/* As pthread_cond_timedwait(), until gb_clock_mono_ns() is @until_ns. */
void gb_condition_wait_until(pthread_cond_t *condition, pthread_mutex_t *lock, uint64_t until_ns);

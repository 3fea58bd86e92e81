/* SPDX-License-Identifier: Apache-2.0 */
/* Confines the calling process, which relays bytes and no more, for good: no files, no sockets but
 * those that it has or is sent, no programs, no processes, no capabilities; memory and descriptors
 * are limited, memory on Linux alone. */
#pragma once

#include <stddef.h>

/* @lifeline as for stage_death_signal(); @descriptors, @memory: how many, and how many bytes.
 * Returns 0 or -errno, with the step that failed in *@ret_what. */
int confine_enter(int lifeline, unsigned descriptors, size_t memory, const char **ret_what);

/* SPDX-License-Identifier: Apache-2.0 */
/* Confinement by the kernel's Seatbelt. */
#pragma once

#include <stddef.h>

/* Applies a profile to this process, for good and for all that it executes. 0 or -errno; a message
 * of the system in @why, which has room for @size. */
int seatbelt_enter(const char *profile, char *why, size_t size);
/* Applies the system's own profile for a process that only computes: no file, no socket, no process
 * beside the descriptors that it has. */
int seatbelt_enter_pure(void);

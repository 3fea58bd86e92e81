/* SPDX-License-Identifier: Apache-2.0 */
/* Cryptographically secure random numbers from the kernel. */
#pragma once

#include <stddef.h>

enum { GB_RANDOM_MAX = 256 }; /* bytes that every kernel returns in one call */

/* Fills @data with @size bytes, at most GB_RANDOM_MAX. 0 or -errno. Any thread. */
int gb_random_fill(void *data, size_t size);

/* SPDX-License-Identifier: Apache-2.0 */
/* A number that tells byte strings apart which nobody chose to be mistaken for one another: FNV-1a
 * with 64 bits. Not for what others send: there are digests for that. The journal's folder of a
 * socket is named by it, so it stays as it is.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define GB_FINGERPRINT_EMPTY UINT64_C(0xcbf29ce484222325)

/* That of what @before is of (GB_FINGERPRINT_EMPTY: nothing), with @data behind it. */
uint64_t gb_fingerprint(uint64_t before, const void *data, size_t size);

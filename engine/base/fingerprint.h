/* SPDX-License-Identifier: Apache-2.0 */
/* A 64-bit FNV-1a hash, to tell byte strings apart that nobody chose in order to collide. Do not
 * use it on untrusted input: use a cryptographic digest there. The name of a socket's journal
 * folder contains it, so the algorithm must not change. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define GB_FINGERPRINT_EMPTY UINT64_C(0xcbf29ce484222325)

/* The hash of what @before is the hash of (GB_FINGERPRINT_EMPTY: nothing), followed by @data. */
uint64_t gb_fingerprint(uint64_t before, const void *data, size_t size);

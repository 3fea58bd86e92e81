/* SPDX-License-Identifier: Apache-2.0 */
#include "fingerprint.h"

uint64_t gb_fingerprint(uint64_t before, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    uint64_t fingerprint = before;

    for (size_t i = 0; i < size; i++)
        fingerprint = (fingerprint ^ bytes[i]) * UINT64_C(0x100000001b3);
    return fingerprint;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/crc32c.h"

#include <stdbool.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <stdatomic.h>
#endif
#if defined(__ARM_FEATURE_CRC32)
#include <arm_acle.h>
#endif

#if !defined(__ARM_FEATURE_CRC32)
/* Four bits at a time: for processors without the instruction. */
static uint32_t crc32c_by_table(uint32_t crc, const uint8_t *data, size_t size)
{
    static const uint32_t table[16] = {
        0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
        0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
        0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
    };

    for (size_t i = 0; i < size; i++) {
        crc ^= data[i];
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return crc;
}
#endif

#if defined(__x86_64__)
/* Asked once: in a VM, CPUID traps. Not by __builtin_cpu_supports(), whose runtime library need not
 * be there where a program is linked for another system. */
static bool crc32c_has_instruction(void)
{
    enum { UNKNOWN, YES, NO };
    static atomic_int known = UNKNOWN;
    int has = atomic_load_explicit(&known, memory_order_relaxed);
    unsigned a, b, c, d;

    if (has == UNKNOWN) {
        has = __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_SSE4_2) != 0 ? YES : NO;
        atomic_store_explicit(&known, has, memory_order_relaxed);
    }
    return has == YES;
}

__attribute__((target("sse4.2"))) static uint32_t
crc32c_by_instruction(uint32_t crc, const uint8_t *data, size_t size)
{
    uint64_t wide = crc;

    for (; size >= 8; data += 8, size -= 8) {
        uint64_t word;

        memcpy(&word, data, sizeof(word));
        wide = __builtin_ia32_crc32di(wide, word);
    }
    crc = (uint32_t)wide;
    for (; size > 0; data++, size--)
        crc = __builtin_ia32_crc32qi(crc, *data);
    return crc;
}
#elif defined(__ARM_FEATURE_CRC32)
static uint32_t crc32c_by_instruction(uint32_t crc, const uint8_t *data, size_t size)
{
    for (; size >= 8; data += 8, size -= 8) {
        uint64_t word;

        memcpy(&word, data, sizeof(word));
        crc = __crc32cd(crc, word);
    }
    for (; size > 0; data++, size--)
        crc = __crc32cb(crc, *data);
    return crc;
}
#endif

uint32_t gb_crc32c(uint32_t crc, const void *data, size_t size)
{
#if defined(__x86_64__)
    if (crc32c_has_instruction())
        return ~crc32c_by_instruction(~crc, data, size);
    return ~crc32c_by_table(~crc, data, size);
#elif defined(__ARM_FEATURE_CRC32)
    return ~crc32c_by_instruction(~crc, data, size);
#else
    return ~crc32c_by_table(~crc, data, size);
#endif
}

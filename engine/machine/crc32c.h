/* SPDX-License-Identifier: Apache-2.0 */
/* CRC-32C (Castagnoli), using the processor's instruction if it has one. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* The checksum of @data, continued from @crc (initially 0). */
uint32_t gb_crc32c(uint32_t crc, const void *data, size_t size);

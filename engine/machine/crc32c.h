/* SPDX-License-Identifier: Apache-2.0 */
/* CRC-32C (Castagnoli), by the processor's instruction where it has one. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* The sum of @data, continued from @crc (0 at first). */
uint32_t gb_crc32c(uint32_t crc, const void *data, size_t size);

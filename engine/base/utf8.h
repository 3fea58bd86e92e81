/* SPDX-License-Identifier: Apache-2.0 */
/* Strict UTF-8 (Unicode 15, table 3-7): no overlong forms, no surrogates, at most U+10FFFF. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"

/* The length (1–4) of the well-formed sequence at @data, or 0 if the @size bytes do not begin with
 * one. */
size_t gb_utf8_sequence(const uint8_t *data, size_t size);

bool gb_utf8_valid(struct gb_bytes text);

/* The number of bytes (0–3) at the end of @text that form an incomplete sequence which more bytes
 * could complete. */
size_t gb_utf8_unfinished(struct gb_bytes text);

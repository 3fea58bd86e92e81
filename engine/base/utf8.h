/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8 by the letter of Unicode 15, table 3-7: no overlong forms, no surrogates, at most U+10FFFF.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"

/* The length (1–4) of the well-formed sequence at @data, or 0 when there is none in @size bytes. */
size_t gb_utf8_sequence(const uint8_t *data, size_t size);

bool gb_utf8_valid(struct gb_bytes text);

/* How many bytes at the end of @text begin a sequence that more bytes could still complete (0–3).
 */
size_t gb_utf8_unfinished(struct gb_bytes text);

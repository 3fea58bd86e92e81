/* SPDX-License-Identifier: Apache-2.0 */
/* Base64 (RFC 4648, section 4): padded, no line breaks, no stray bits.
 *
 * Why not nettle's, which the program links anyway: it skips white space, so the same bytes have
 * many encodings; it processes a character at a time, while a server's loop decodes files of many
 * MiB; and it does not promise to work in place.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* The encoded length of @size bytes; SIZE_MAX on overflow. */
size_t gb_base64_size(size_t size);

/* Adds the encoded @bytes to @buf. Aborts if memory runs out. */
void gb_base64_encode(struct gb_buf *buf, struct gb_bytes bytes);

/* Decodes @text to @to, which has room for 3 bytes per 4 of @text and may be the same memory.
 * Returns the size, or -1 if @text is not exactly what the encoder would write. */
ptrdiff_t gb_base64_decode(struct gb_bytes text, uint8_t *to);

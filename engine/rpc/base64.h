/* SPDX-License-Identifier: Apache-2.0 */
/* Base64 (RFC 4648, section 4): padded, no line breaks, no stray bits.
 *
 * Why not nettle's, which the program is linked to: it skips white space, so that one string of
 * bytes has many encodings; it takes a character at a time, where files of many MiB are decoded in
 * the loop of a server; and it does not promise to work in place.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* The length of @size bytes once encoded; SIZE_MAX when that cannot be counted. */
size_t gb_base64_size(size_t size);

/* Adds the encoded @bytes to @buf. Aborts when there is no memory. */
void gb_base64_encode(struct gb_buf *buf, struct gb_bytes bytes);

/* Decodes @text to @to, which has room for 3 bytes for each 4 of @text, and may be the place of the
 * text itself. Returns the size, or -1 when @text is not exactly what the encoder would write. */
ptrdiff_t gb_base64_decode(struct gb_bytes text, uint8_t *to);

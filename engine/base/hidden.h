/* SPDX-License-Identifier: Apache-2.0 */
/* Characters that must not reach a terminal, a log or a comment unescaped, because the reader
 * cannot see what is there: C0 and C1 controls, bidirectional overrides, line separators, invisible
 * joiners, separators and tags, and code points that the Unicode version known here does not
 * assign. This is the only such list; all code that displays untrusted text uses it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"

/* Takes a code point; true also beyond U+10FFFF and for surrogates. A newline counts as a control:
 * a caller that wants lines has to let it through. */
bool gb_hidden(uint32_t c);
/* The same, if @before (0: nothing) is displayed directly in front of it: a joiner or variation
 * selector is visible as part of the emoji that it modifies. */
bool gb_hidden_behind(uint32_t before, uint32_t c);
/* The code point of a well-formed sequence of @size bytes (see gb_utf8_sequence). */
uint32_t gb_hidden_point(const uint8_t *data, size_t size);
/* Writes it as a visible escape: \x1b, \u202e, \U000e0041. */
void gb_hidden_show(struct gb_buf *out, uint32_t c);

/* SPDX-License-Identifier: Apache-2.0 */
/* Characters that must not reach a terminal, a log or a comment as they are, because who reads does
 * not see what is there: controls of both sets, those that turn the direction of writing around,
 * that break lines, that join or part or are tags and show nothing, and those that no version of
 * Unicode known here has given a meaning. There is this one list; everything that shows foreign
 * text asks it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"

/* Of a code point; true for what is beyond U+10FFFF and for halves of surrogate pairs. A newline is
 * a control as well: where lines are meant, the caller keeps it. */
bool gb_hidden(uint32_t c);
/* The same where @before is shown right in front of it (0: nothing is): what makes one picture of
 * several, or chooses its look, is no secret behind a picture. */
bool gb_hidden_behind(uint32_t before, uint32_t c);
/* The code point of a well-formed sequence of @size bytes (gb_utf8_sequence). */
uint32_t gb_hidden_point(const uint8_t *data, size_t size);
/* Writes it so that it can be seen: \x1b, \u202e, \U000e0041. */
void gb_hidden_show(struct gb_buf *out, uint32_t c);

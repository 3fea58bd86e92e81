/* SPDX-License-Identifier: Apache-2.0 */
/* Foreign text on a terminal: what a guest prints can colour and do nothing else.
 *
 * Printable text, \n, \r, \t, \b and SGR sequences (ESC [ digits ; : … m) pass. Every other control
 * character, escape sequence, byte that is not UTF-8, and character that hides something
 * (base/hidden.h) is shown as \x1b, \xff or \u202e. Works on pieces of a stream: what could become
 * a character or an SGR sequence waits, bounded.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum { FILTER_SGR_MAX = 64 };

/* Zeroed at first; embed it. One per stream. */
struct filter {
    uint8_t held[FILTER_SGR_MAX];
    uint8_t held_size;
    bool coloured;   /* a colour is on */
    uint32_t before; /* the character that was shown last; 0: none */
};

/* Adds what may be shown of @bytes to @out. */
void filter_add(struct filter *filter, struct gb_buf *out, struct gb_bytes bytes);
/* The end of the stream: shows what waited and turns colours off. It can be used again after. */
void filter_end(struct filter *filter, struct gb_buf *out);

/* A text that is all there, as a terminal may show it: with its colours, or without. */
void filter_shown(struct gb_buf *to, struct gb_bytes text);
void filter_plain(struct gb_buf *to, struct gb_bytes text);
/* Takes the colours out of what was shown. */
void filter_without_colours(struct gb_buf *to, struct gb_bytes shown);

/* SPDX-License-Identifier: Apache-2.0 */
/* Makes untrusted text safe for a terminal: a guest's output can set colours and nothing else.
 *
 * Printable text, \n, \r, \t, \b and SGR sequences (ESC [ digits ; : … m) pass. All other control
 * characters, escape sequences, invalid UTF-8 and hidden characters (base/hidden.h) are shown as
 * \x1b, \xff or \u202e. Works on a stream in pieces: an incomplete character or SGR sequence is
 * kept back, up to a limit.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum { FILTER_SGR_MAX = 64 };

/* Embed one per stream, zeroed. */
struct filter {
    uint8_t held[FILTER_SGR_MAX];
    uint8_t held_size;
    bool coloured;   /* a colour is set */
    uint32_t before; /* the last character shown; 0: none */
};

/* Adds the safe form of @bytes to @out. */
void filter_add(struct filter *filter, struct gb_buf *out, struct gb_bytes bytes);
/* End of the stream: flushes what was kept back and resets colours. The filter can be reused. */
void filter_end(struct filter *filter, struct gb_buf *out);

/* Filters a complete text, with its colours or without. */
void filter_shown(struct gb_buf *to, struct gb_bytes text);
void filter_plain(struct gb_buf *to, struct gb_bytes text);
/* Removes the colours from filtered text. */
void filter_without_colours(struct gb_buf *to, struct gb_bytes shown);

/* SPDX-License-Identifier: Apache-2.0 */
/* Looking for a text in what cells ran and printed.
 *
 * The text is literal. Letters of ASCII match in either case, unless it has a capital one;
 * sequences that tell a terminal about colours and the like are passed over, so that a word is
 * found however it was painted. The time that it takes grows with the sizes only, whatever a
 * program prints.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/limits.h"
#include "journal/record.h"

/* Embed it. */
struct gb_match {
    char text[GB_FIND_MAX];
    size_t size;
    bool exact; /* case counts */
};

/* @text: 1 to GB_FIND_MAX bytes; what is longer is cut. */
void gb_match_init(struct gb_match *match, struct gb_bytes text);

bool gb_match_bytes(const struct gb_match *match, struct gb_bytes bytes);
/* In the code, either stream, the value, the note, or the reason for which there is no result. */
bool gb_match_cell(const struct gb_match *match, const struct gb_cell_info *cell);

/* SPDX-License-Identifier: Apache-2.0 */
/* Searches what cells ran and printed for a text.
 *
 * The text is literal. ASCII letters match in either case unless it contains a capital letter;
 * escape sequences such as colours are skipped, so that a word is found however it is coloured. The
 * time grows only with the sizes, whatever a program prints.
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
    bool exact; /* case-sensitive */
};

/* @text: 1 to GB_FIND_MAX bytes; the rest is cut off. */
void gb_match_init(struct gb_match *match, struct gb_bytes text);

bool gb_match_bytes(const struct gb_match *match, struct gb_bytes bytes);
/* Searches the code, both streams, the value, the note, and the reason for a missing result. */
bool gb_match_cell(const struct gb_match *match, const struct gb_cell_info *cell);

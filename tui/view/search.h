/* SPDX-License-Identifier: Apache-2.0 */
/* A search pattern for lines: literal, ignoring case unless it contains a capital (ASCII)
 * letter. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "text/text.h"

enum { SEARCH_PATTERN_MAX = 200 };

/* Zeroed: finds nothing. */
struct search {
    char pattern[SEARCH_PATTERN_MAX];
    size_t size;
    bool exact;                /* case-sensitive */
    struct text_filter filter; /* the same for whole texts; each pattern has a different key */
};

/* Truncates a pattern that is too long. @search must not move. */
void search_set(struct search *search, const char *pattern);
/* The first match at or after byte @from. False: none. */
bool search_find(const struct search *search, struct gb_bytes line, size_t from, size_t *ret_start);

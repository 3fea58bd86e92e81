/* SPDX-License-Identifier: Apache-2.0 */
/* A pattern that is looked for in lines: literal, without regard to case unless it has a capital
 * letter (of ASCII). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "text/text.h"

enum { SEARCH_PATTERN_MAX = 200 };

/* Zeroed: looks for nothing, finds nothing. */
struct search {
    char pattern[SEARCH_PATTERN_MAX];
    size_t size;
    bool exact; /* case counts */
    struct text_filter
        filter; /* the same for whole texts; its key is another one for each pattern */
};

/* A pattern that is too long is cut. @search must stay where it is. */
void search_set(struct search *search, const char *pattern);
/* The first match at or behind byte @from. False: there is none. */
bool search_find(const struct search *search, struct gb_bytes line, size_t from, size_t *ret_start);

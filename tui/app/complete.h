/* SPDX-License-Identifier: Apache-2.0 */
/* Completion on the `:` line. */
#pragma once

#include "app/internal.h"

enum { CANDIDATES_MAX = 200 };

struct candidate {
    char text[STORE_HOST_MAX + STORE_NAME_MAX]; /* to insert into the line */
    char note[160];                             /* a description */
    int score;
};

struct candidates {
    struct candidate items[CANDIDATES_MAX];
    size_t count;
    size_t from; /* the byte of the line where the matches start */
};

/* Lists what the path between @from and @point could continue to: local names, sorted. A folder
 * ends with a slash, and a leading ~ is the home. */
void complete_path(const char *line, size_t from, size_t point, struct candidates *ret);
/* Best matches first. */
void complete_line(struct tui *tui, const char *line, size_t point, struct candidates *ret);

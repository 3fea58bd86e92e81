/* SPDX-License-Identifier: Apache-2.0 */
/* What could stand at the end of a line behind `:`. */
#pragma once

#include "app/internal.h"

enum { CANDIDATES_MAX = 200 };

struct candidate {
    char text[STORE_NAME_MAX]; /* to put into the line */
    char note[160];            /* what it is */
    int score;
};

struct candidates {
    struct candidate items[CANDIDATES_MAX];
    size_t count;
    size_t from; /* the byte of the line where they begin */
};

/* What is there below the path between @from and @point: names of this machine, in their order. A
 * folder ends with a slash, and a ~ at the beginning is the home. */
void complete_path(const char *line, size_t from, size_t point, struct candidates *ret);
/* The best first. */
void complete_line(struct tui *tui, const char *line, size_t point, struct candidates *ret);

/* SPDX-License-Identifier: Apache-2.0 */
/* The lines of the list of sessions: sessions that match the filter, sorted, as a table, or as a
 * tree below the heads of their groups and the sessions that they were forked from. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "list/columns.h"
#include "list/filter.h"
#include "store/store.h"

enum grouping { GROUP_NONE, GROUP_OWNER, GROUP_IMAGE, GROUP_HOST, GROUP_COUNT };

enum { FOLDED_MAX = 64, TREE_DEPTH_MAX = 8 };

struct row {
    struct session *session; /* NULL: this is a group's head */
    const char *group;       /* of a head: its name; "" for sessions without a group */
    unsigned depth;          /* 1 in a group, more for a fork below its origin */
    bool last;               /* among its siblings */
    bool folded;             /* of a head */
    unsigned sessions;       /* of a head */
    double memory_bytes;
};

struct rows {
    struct row *rows;
    size_t count, capacity;
    size_t sessions; /* that match the filter, including folded ones */
    size_t all;      /* total */
};

struct rows_config {
    struct filter filter;
    bool attention; /* only those that need the user's attention */
    enum column sort;
    bool reverse;
    enum grouping grouping;
    char folded[FOLDED_MAX][STORE_NAME_MAX]; /* names of folded groups */
    size_t folded_count;
};

/* Builds the rows from @sessions (@count of them), which are borrowed until the next call. */
void rows_build(struct rows *rows, struct session **sessions, size_t count,
                const struct rows_config *config, double now);
void rows_release(struct rows *rows);

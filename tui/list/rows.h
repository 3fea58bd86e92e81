/* SPDX-License-Identifier: Apache-2.0 */
/* What the list shows, line by line: sessions that fit the filter, sorted, as a table or as a tree
 * under the heads of their groups and the sessions that they were forked from. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "list/columns.h"
#include "list/filter.h"
#include "store/store.h"

enum grouping { GROUP_NONE, GROUP_OWNER, GROUP_IMAGE, GROUP_COUNT };

enum { FOLDED_MAX = 64, TREE_DEPTH_MAX = 8 };

struct row {
    struct session *session; /* NULL: the head of a group */
    const char *group;       /* of a head: its name; "" for those without */
    unsigned depth;          /* 1 in a group, more for a fork below the one that it came from */
    bool last;               /* of its siblings */
    bool folded;             /* of a head */
    unsigned sessions;       /* of a head */
    double memory_bytes;
};

struct rows {
    struct row *rows;
    size_t count, capacity;
    size_t sessions; /* that fit the filter, folded ones too */
    size_t all;      /* that there are */
};

struct rows_config {
    struct filter filter;
    bool attention; /* only those that want a person */
    enum column sort;
    bool reverse;
    enum grouping grouping;
    char folded[FOLDED_MAX][STORE_NAME_MAX]; /* names of groups */
    size_t folded_count;
};

/* Builds the rows from @sessions (@count of them), which are borrowed until the next call. */
void rows_build(struct rows *rows, struct session **sessions, size_t count,
                const struct rows_config *config, double now);
void rows_release(struct rows *rows);

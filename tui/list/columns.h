/* SPDX-License-Identifier: Apache-2.0 */
/* The columns of the list: widths, content, sort order. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "command/columns.h"
#include "screen/grid.h"
#include "store/store.h"

/* Which columns fit, and their widths; 0: left out. */
struct layout {
    int widths[COLUMN_COUNT];
};

/* Lays out the columns in @wanted (one bit each): if there is not enough room, the least important
 * are left out first; the rest is for names, the longest of which has @name_width columns. */
struct layout columns_layout(int width, uint32_t wanted, int name_width);
/* COLUMN_COUNT if there is no such column. */
enum column column_find(const char *name);
const char *column_heading(enum column column);
/* Whether its values are right-aligned. */
bool column_right(enum column column);
/* Compares by the column, then by order of arrival: never 0 for two sessions. */
int column_compare(enum column column, const struct session *a, const struct session *b,
                   double now);
/* @style: of the row. */
void column_paint(struct region cell, enum column column, const struct session *session,
                  struct style style, bool plain, enum graph_signs signs, double now);

/* The history of the memory usage, on the scale of its limit; nothing if it does not change. */
void memory_graph(struct region region, enum graph_signs signs, const struct session *session);

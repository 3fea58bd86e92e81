/* SPDX-License-Identifier: Apache-2.0 */
/* The columns of the list: how wide, what is in them, how they sort. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "command/columns.h"
#include "screen/grid.h"
#include "store/store.h"

/* Which columns fit, and how wide they are; 0: left out. */
struct layout {
    int widths[COLUMN_COUNT];
};

/* Of the columns in @wanted (a bit for each): what matters least goes first where there is no room,
 * and what is left is for names, the longest of which has @name_width columns. */
struct layout columns_layout(int width, uint32_t wanted, int name_width);
/* COLUMN_COUNT when there is none of that name. */
enum column column_find(const char *name);
const char *column_heading(enum column column);
/* Whether its values stand at the right. */
bool column_right(enum column column);
/* By the column, then by the order of coming: never 0 for two sessions. */
int column_compare(enum column column, const struct session *a, const struct session *b,
                   double now);
/* @style: of the row. */
void column_paint(struct region cell, enum column column, const struct session *session,
                  struct style style, bool plain, enum graph_signs signs, double now);

/* The course of the memory on the scale of its limit; nothing where it does not move. */
void memory_graph(struct region region, enum graph_signs signs, const struct session *session);

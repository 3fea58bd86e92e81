/* SPDX-License-Identifier: Apache-2.0 */
/* Bookmarks and notes that people give to cells: the server keeps them in the journal. */
#pragma once

#include "view/cells.h"

/* Whether the cell has either. */
bool remark_has(const struct card *card);
/* What the history says about a cell. */
void remark_read(struct card *card, const struct gb_cell_info *info);
/* The `info` of the event `cell.annotated`: what was changed. @card NULL: it is not loaded. */
void remark_take(struct card *card, const struct gb_json *info);

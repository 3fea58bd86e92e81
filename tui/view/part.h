/* SPDX-License-Identifier: Apache-2.0 */
/* Partial loading of a long output. A card's memory is bounded; the journal has everything, and
 * returns any part. Offsets count the bytes of a cell's output, stdout first and then stderr, as in
 * session.history.
 *
 * A part starts and ends at line boundaries, if there are any. A new part overlaps with the loaded
 * one, so that what is visible stays in place: the seam between them is the line where the old one
 * started or ended.
 */
#pragma once

#include "view/cells.h"

enum { PART_BYTES = 192 << 10 }; /* newly loaded; as many are kept */

/* What is not loaded: bytes before and after the loaded part. 0 while the cell runs: the journal
 * has its output only when it has ended. */
uint64_t part_before(const struct card *card);
uint64_t part_behind(const struct card *card);

/* Records that @wish was requested, and returns the request's parameters. */
void part_ask(struct card *card, enum part_wish wish, uint64_t *ret_offset, uint64_t *ret_length);

/* Takes a @cell from the history, which has an offset. If it answers the request, card->seam_line
 * becomes the line at the seam. */
void part_take(struct card *card, const struct gb_cell_info *cell);

/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of a long output. What a card keeps is bounded; the journal has all of it, and tells any
 * part. Offsets count the bytes of a cell's output, stdout first and stderr behind it, as
 * session.history does.
 *
 * A part begins and ends with a line, where there are lines. The next part overlaps with the one
 * that is here, so that what is in sight stays there: the seam between them is the line at which
 * the old one began or ended.
 */
#pragma once

#include "view/cells.h"

enum { PART_BYTES = 192 << 10 }; /* that come anew; as many stay */

/* What is not here: bytes before and behind what is shown. 0 while the cell runs: the journal has
 * its output when it has ended. */
uint64_t part_before(const struct card *card);
uint64_t part_behind(const struct card *card);

/* Notes that @wish was asked for, and gives what the request says. */
void part_ask(struct card *card, enum part_wish wish, uint64_t *ret_offset, uint64_t *ret_length);

/* Takes @cell of the history, which has an offset. The answer to what was asked puts the line at
 * the seam into card->seam_line. */
void part_take(struct card *card, const struct gb_json *cell);

/* SPDX-License-Identifier: Apache-2.0 */
/* What is to be said of a cell beside what it printed: why it has no result, what the agent noted,
 * what became of its interpreter, what was left out. One list of sentences, in one order, for the
 * log, the prompt and the cards of the front end.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Borrows; zeroed: there is nothing to say. */
struct remarks {
    struct gb_bytes error, note; /* without bytes: none */
    uint32_t flags;              /* enum gb_cell_flags */
    uint64_t left_out;           /* bytes of its output */
};

size_t remarks_count(const struct remarks *remarks);
/* Adds sentence number @index, from 0 on, below remarks_count(). Foreign text as it came. */
void remarks_add(const struct remarks *remarks, size_t index, struct gb_buf *to);

/* SPDX-License-Identifier: Apache-2.0 */
/* Remarks about a cell beside its output: why it has no result, the agent's note, a restarted
 * interpreter, dropped output. One list of sentences in one order, for the log, the prompt and the
 * cards of the front end. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Borrows; zeroed: nothing to remark. */
struct remarks {
    struct gb_bytes error, note; /* NULL pointer: none */
    uint32_t flags;              /* enum gb_cell_flags */
    uint64_t left_out;           /* bytes of output that were dropped */
};

size_t remarks_count(const struct remarks *remarks);
/* Adds sentence @index, 0 to remarks_count() - 1. Text from the guest is not escaped. */
void remarks_add(const struct remarks *remarks, size_t index, struct gb_buf *to);

/* SPDX-License-Identifier: Apache-2.0 */
/* Cells as clients see them: running ones, and those in the journal. */
#pragma once

#include "model/cell.h"
#include "rpc/json.h"

/* Writes its members. */
void cell_put(struct gb_json_out *out, const struct gb_cell_info *cell);

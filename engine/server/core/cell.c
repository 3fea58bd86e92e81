/* SPDX-License-Identifier: Apache-2.0 */
#include "cell.h"

#include "rpc/object.h"

void cell_put(struct gb_json_out *out, const struct gb_cell_info *cell)
{
    struct gb_cell_info told = *cell;

    if ((told.flags & GB_CELL_CODE_LOST) != 0) {
        told.code = (struct gb_bytes){0};
        if ((told.flags & GB_CELL_RESULT_LOST) != 0)
            told.mode = GB_NO_WORD; /* no record of its mode is left */
    }
    gb_object_write(out, &gb_cell_object, &told);
}

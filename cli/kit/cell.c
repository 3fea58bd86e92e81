/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cell.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cli/app.h"
#include "rpc/object.h"

int cell_exit_status(const struct gb_cell_info *cell)
{
    if ((cell->flags & GB_CELL_TIMED_OUT) != 0)
        return EXIT_TIMED_OUT;
    if (cell->signal > 0)
        return 128 + (int)cell->signal;
    if (cell->exit_code >= 0)
        return (int)cell->exit_code;
    if ((cell->flags & GB_CELL_INTERRUPTED) != 0)
        return 128 + SIGINT;
    if ((cell->flags & GB_CELL_OOM) != 0)
        return 128 + SIGKILL;
    return EXIT_GLASSBELL;
}

bool cell_wanted_input(const struct gb_cell_info *cell, const struct gb_languages *languages)
{
    _cleanup_(gb_buf_release) struct gb_buf text = {0};

    if (!gb_bytes_add_decoded(&text, cell->err, (cell->flags & GB_CELL_ERR_BASE64) != 0))
        return false;
    while (text.size > 0 && gb_buf_data(&text)[text.size - 1] == '\n')
        text.size--;
    for (size_t i = 0; i < languages->count; i++) {
        const char *error = languages->list[i]->errors.no_input;
        size_t size = strlen(error);

        if (size > 0 && text.size >= size &&
            memcmp(gb_buf_data(&text) + text.size - size, error, size) == 0)
            return true;
    }
    return false;
}

bool cell_says_anything(const struct gb_cell_info *cell)
{
    return cell->out.size > 0 || cell->err.size > 0 || cell_exit_status(cell) != 0;
}

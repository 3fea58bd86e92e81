/* SPDX-License-Identifier: Apache-2.0 */
#include "show/facts.h"

#include "base/clock.h"
#include "rpc/object.h"

enum gb_mode facts_mode(const struct gb_cell_info *cell)
{
    return cell->mode == GB_NO_WORD ? GB_MODE_KERNEL : (enum gb_mode)cell->mode;
}

bool facts_is_shell(const struct gb_cell_info *cell)
{
    return cell->mode == GB_MODE_SHELL;
}

const struct gb_language *facts_language(const struct gb_languages *languages,
                                         const struct gb_cell_info *cell, struct gb_bytes session)
{
    /* The mode is named after its language. */
    if (facts_is_shell(cell))
        session = gb_bytes_str(gb_mode_to_string(GB_MODE_SHELL));
    return gb_languages_named(languages, session);
}

bool facts_is_running(const struct gb_cell_info *cell)
{
    return cell->state == GB_CELL_RUNNING;
}

double facts_seconds(uint64_t ns)
{
    return (double)ns / GB_NS_PER_S;
}

double facts_ms(uint64_t ns)
{
    return (double)ns / GB_NS_PER_MS;
}

void facts_stream(struct gb_buf *to, const struct gb_cell_info *cell, enum gb_output stream)
{
    if (stream == GB_STDOUT)
        (void)gb_bytes_add_decoded(to, cell->out, (cell->flags & GB_CELL_OUT_BASE64) != 0);
    else
        (void)gb_bytes_add_decoded(to, cell->err, (cell->flags & GB_CELL_ERR_BASE64) != 0);
}

void facts_display_bytes(struct gb_buf *to, const struct gb_display_info *display)
{
    (void)gb_bytes_add_decoded(to, display->data, (display->flags & GB_DISPLAY_BASE64) != 0);
}

void facts_path(struct gb_buf *to, const struct gb_file_info *file)
{
    (void)gb_bytes_add_decoded(to, file->path, (file->flags & GB_FILE_INFO_BASE64) != 0);
}

double facts_display_size(const struct gb_display_info *display)
{
    if ((display->flags & GB_DISPLAY_BASE64) != 0)
        return (double)display->data.size * 3 / 4;
    return (double)(display->size + display->data.size);
}

char facts_change(const struct gb_file_info *file)
{
    return file->change == GB_ADDED ? '+' : file->change == GB_REMOVED ? '-' : '~';
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Paints the files of a session. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "show/words.h"
#include "view/files.h"
#include "view/paint.h"

static void files_draw_entry(const struct file_entry *entry, struct region row, bool selected,
                             bool focused, double now)
{
    enum role role = entry->folder ? ROLE_FILE_DIR : entry->link ? ROLE_FILE_LINK : ROLE_FILE;
    bool wide = row.width >= 44;
    int room = row.width - 12 - (wide ? 9 : 0), x;
    char text[32] = "";

    if (selected)
        role = focused ? ROLE_ROW_SELECTED : ROLE_ROW_INACTIVE;
    if (selected)
        paint_fill(row, STYLE(role));
    x = 1 + paint_cut(row, 1, 0, room, STYLE(role), gb_bytes_str(entry->name));
    if (entry->folder || entry->link)
        (void)paint_str(row, x, 0, STYLE(selected ? role : ROLE_DIM), entry->folder ? "/" : "@");
    if (!entry->folder)
        words_size(text, sizeof(text), (double)entry->size);
    paint_right(row, room + 1, 0, 10, STYLE(selected ? role : ROLE_TEXT), gb_bytes_str(text));
    if (!wide)
        return;
    words_age(text, sizeof(text), MAX(now - entry->mtime, 0.0));
    paint_right(row, room + 11, 0, 8, STYLE(selected ? role : ROLE_DIM), gb_bytes_str(text));
}

static void files_draw_list(const struct files *files, struct region region, bool focused)
{
    struct region head = region_cut_top(&region, 1);
    int x = 1;

    x += paint_str(head, x, 0, STYLE(ROLE_TITLE), "~/");
    if (strcmp(files->path, ".") != 0)
        (void)paint_cut(head, x, 0, head.width - x, STYLE(ROLE_TITLE_ACTIVE),
                        gb_bytes_str(files->path));
    if (files->count == 0) {
        (void)paint_cut(region, 1, 0, region.width - 2, STYLE(ROLE_DIM),
                        gb_bytes_str(files->error[0] != '\0' ? files->error
                                     : files->loaded         ? "an empty folder"
                                                             : "…"));
        return;
    }
    for (int y = 0; y < region.height && files->top + (size_t)y < files->count; y++)
        files_draw_entry(&files->entries[files->top + (size_t)y], region_part(region, 0, y, -1, 1),
                         files->top + (size_t)y == files->selected, focused, tui_now(files->tui));
}

static void files_draw_look(const struct files *files, struct region region)
{
    const struct file_entry *entry = files_selected(files);
    struct highlight_state state = {0};
    struct line_tokens tokens = {files->language, &state};
    struct region head = region_cut_top(&region, 1);
    struct text_line line;
    char size[16], note[40];

    if (entry == NULL)
        return;
    words_size(size, sizeof(size), (double)entry->size);
    (void)paint_cut(head, 1, 0, head.width - 24, STYLE(ROLE_TITLE), gb_bytes_str(entry->name));
    if (!entry->folder) {
        (void)snprintf(note, sizeof(note), files->cut ? "the beginning of %s" : "%s", size);
        paint_right(head, head.width - 23, 0, 22, STYLE(ROLE_DIM), gb_bytes_str(note));
    }
    if (files->text == NULL) {
        (void)paint_str(region, 1, 0, STYLE(ROLE_DIM),
                        entry->folder           ? "a folder"
                        : files->look_call != 0 ? "…"
                                                : "");
        return;
    }
    if (text_lines(files->text) == 0)
        (void)paint_str(region, 1, 0, STYLE(ROLE_DIM), "an empty file");
    for (size_t i = 0; i < files->text_top && text_line(files->text, i, &line); i++)
        highlight_line(files->language, &state, line.bytes, NULL, NULL);
    for (int y = 0; y < region.height && text_line(files->text, files->text_top + (size_t)y, &line);
         y++)
        paint_line_cut(region_part(region, 1, y, -1, 1), &line,
                       line.stream == TEXT_STDERR ? ROLE_CELL_FAILED : ROLE_CELL_CODE, &tokens,
                       NULL);
}

static void files_draw_transfer(const struct files *files, struct region row)
{
    double share = files->moving_size > 0 ? (double)files->moved / (double)files->moving_size : 0.0;
    int x = 1;

    x += paint_cut(row, x, 0, row.width / 2, STYLE(ROLE_TEXT), gb_bytes_str(files->moving)) + 1;
    paint_gauge(row, x, 0, row.width - x - 8, tui_signs(files->tui), share, STYLE(ROLE_GRAPH_LOW));
    (void)paint_f(row, row.width - 6, 0, STYLE(ROLE_DIM), "%3.0f %%", share * 100);
}

void files_arrange(struct files *files, struct region region)
{
    size_t height;

    files->height = MAX(region.height - 1 - (files->transfer != NULL ? 1 : 0), 0);
    height = (size_t)MAX(files->height, 1);
    if (files->count == 0)
        return;
    if (files->selected < files->top)
        files->top = files->selected;
    if (files->selected >= files->top + height)
        files->top = files->selected - height + 1;
}

void files_draw(const struct files *files, struct region region, bool focused)
{
    struct region list;

    if (files->transfer != NULL)
        files_draw_transfer(files, region_cut_bottom(&region, 1));
    list = region_cut_left(&region, FILES_LIST_COLUMNS(region.width));
    files_draw_list(files, list, focused);
    if (region.width == 0)
        return;
    paint_wall(region, 0, 0, region.height, STYLE(ROLE_FRAME));
    (void)region_cut_left(&region, 1);
    files_draw_look(files, region);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "screen/render.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "screen/sgr.h"

enum { UNKNOWN = 255 }; /* the size of a cell of which nobody knows what the terminal shows */

struct frame {
    struct gb_buf *out;
    const struct grid *grid;
    const struct looks *looks;
    const struct terminal_abilities *abilities;
    struct sgr sgr;
    int x, y; /* where the terminal's cursor is; -1: nobody knows */
    bool begun;
    bool dirty[GRID_PICTURES_MAX]; /* cells below the picture were drawn */
};

void renderer_release(struct renderer *renderer)
{
    grid_release(&renderer->shown);
}

void renderer_forget(struct renderer *renderer)
{
    renderer->known = false;
}

static void begin(struct frame *frame)
{
    if (frame->begun)
        return;
    frame->begun = true;
    if (frame->abilities->synchronized)
        gb_buf_adds(frame->out, "\x1b[?2026h");
    gb_buf_adds(frame->out, "\x1b[?25l\x1b[m");
}

static void move(struct frame *frame, int x, int y)
{
    if (frame->x == x && frame->y == y)
        return;
    if (frame->y == y && frame->x >= 0 && x == frame->x + 1)
        gb_buf_adds(frame->out, "\x1b[C");
    else if (frame->y == y && frame->x >= 0 && x > frame->x)
        gb_buf_addf(frame->out, "\x1b[%dC", x - frame->x);
    else
        gb_buf_addf(frame->out, "\x1b[%d;%dH", y + 1, x + 1);
    frame->x = x;
    frame->y = y;
}

static bool same_cell(const struct cell *a, const struct cell *b)
{
    return a->size == b->size && a->width == b->width && a->style.role == b->style.role &&
           a->style.attributes == b->style.attributes && a->style.fg == b->style.fg &&
           a->style.bg == b->style.bg && memcmp(a->text, b->text, GLYPH_BYTES) == 0;
}

/* For terminals without UTF-8: the signs that we draw with, by what looks most like them. */
static void put_ascii(struct frame *frame, const struct cell *cell)
{
    static const struct {
        const char *sign;
        char ascii;
    } signs[] = {
        {"─", '-'}, {"━", '='}, {"│", '|'}, {"╭", '+'}, {"╮", '+'}, {"╰", '+'}, {"╯", '+'},
        {"├", '|'}, {"└", '`'}, {"…", '~'}, {"●", '*'}, {"◐", '?'}, {"○", 'o'}, {"✕", 'x'},
        {"✓", 'v'}, {"▲", '^'}, {"▼", 'v'}, {"▾", 'v'}, {"▸", '>'}, {"›", '>'}, {"·", '.'},
    };

    if (cell->size == 1) {
        gb_buf_add(frame->out, cell->text, 1);
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(signs); i++)
        if (strlen(signs[i].sign) == cell->size &&
            memcmp(signs[i].sign, cell->text, cell->size) == 0) {
            gb_buf_add(frame->out, &signs[i].ascii, 1);
            return;
        }
    gb_buf_adds(frame->out, cell->width == 2 ? "??" : "?");
}

static void note_pictures(struct frame *frame, int x, int y)
{
    const struct grid *grid = frame->grid;

    for (size_t i = 0; i < grid->picture_count; i++) {
        const struct picture *picture = &grid->pictures[i];

        if (x >= picture->x && x < picture->x + picture->width && y >= picture->y &&
            y < picture->y + picture->height)
            frame->dirty[i] = true;
    }
}

static void put_cell(struct frame *frame, const struct cell *cell, int x, int y)
{
    begin(frame);
    move(frame, x, y);
    sgr_change(&frame->sgr, sgr_resolve(frame->looks, cell->style, frame->abilities->depth),
               frame->out);
    if (frame->abilities->utf8)
        gb_buf_add(frame->out, cell->text, cell->size);
    else
        put_ascii(frame, cell);
    /* At the edge, and where the terminal may have measured otherwise, the place is not known. */
    frame->x = cell->uncertain || x + cell->width >= frame->grid->width ? -1 : x + cell->width;
    note_pictures(frame, x, y);
}

static void forget_area(struct grid *shown, const struct picture *picture)
{
    for (int y = picture->y; y < MIN(picture->y + picture->height, shown->height); y++)
        for (int x = picture->x; x < MIN(picture->x + picture->width, shown->width); x++)
            shown->cells[(size_t)y * (size_t)shown->width + (size_t)x].size = UNKNOWN;
}

static bool same_picture(const struct picture *a, const struct picture *b)
{
    return a->id == b->id && a->x == b->x && a->y == b->y && a->width == b->width &&
           a->height == b->height;
}

static bool has_picture(const struct grid *grid, const struct picture *picture)
{
    for (size_t i = 0; i < grid->picture_count; i++)
        if (same_picture(&grid->pictures[i], picture))
            return true;
    return false;
}

static void remove_pictures(struct renderer *renderer, struct frame *frame)
{
    struct grid *shown = &renderer->shown;

    for (size_t i = 0; i < shown->picture_count; i++) {
        if (has_picture(frame->grid, &shown->pictures[i]))
            continue;
        begin(frame);
        gb_buf_adds(frame->out, renderer->remove[i]);
        forget_area(shown, &shown->pictures[i]);
    }
}

static void put_pictures(struct renderer *renderer, struct frame *frame)
{
    const struct grid *grid = frame->grid;

    for (size_t i = 0; i < grid->picture_count; i++) {
        const struct picture *picture = &grid->pictures[i];

        if (!frame->dirty[i] && has_picture(&renderer->shown, picture))
            continue;
        begin(frame);
        frame->x = -1;
        move(frame, picture->x, picture->y);
        gb_buf_add(frame->out, picture->bytes.data, picture->bytes.size);
        frame->x = -1;
    }
    for (size_t i = 0; i < grid->picture_count; i++) {
        struct gb_bytes remove = grid->pictures[i].remove;

        if (remove.size >= PICTURE_REMOVE_MAX)
            remove.size = 0;
        if (remove.size > 0)
            memcpy(renderer->remove[i], remove.data, remove.size);
        renderer->remove[i][remove.size] = '\0';
    }
}

static void remember(struct grid *shown, const struct grid *grid)
{
    memcpy(shown->cells, grid->cells,
           (size_t)grid->width * (size_t)grid->height * sizeof(*grid->cells));
    memcpy(shown->pictures, grid->pictures, sizeof(shown->pictures));
    shown->picture_count = grid->picture_count;
    shown->cursor = grid->cursor;
    shown->cursor_x = grid->cursor_x;
    shown->cursor_y = grid->cursor_y;
}

void renderer_frame(struct renderer *renderer, const struct grid *grid, const struct looks *looks,
                    const struct terminal_abilities *abilities, struct gb_buf *out)
{
    struct frame frame = {
        .out = out, .grid = grid, .looks = looks, .abilities = abilities, .x = -1, .y = -1};
    struct grid *shown = &renderer->shown;
    size_t count = (size_t)grid->width * (size_t)grid->height;

    if (!renderer->known || shown->width != grid->width || shown->height != grid->height) {
        grid_resize(shown, grid->width, grid->height);
        for (size_t i = 0; i < count; i++)
            shown->cells[i].size = UNKNOWN;
        renderer->known = true;
        begin(&frame);
    }
    remove_pictures(renderer, &frame);
    for (size_t i = 0; i < count; i++) {
        const struct cell *cell = &grid->cells[i];

        if (cell->size > 0 && !same_cell(cell, &shown->cells[i]))
            put_cell(&frame, cell, (int)(i % (size_t)grid->width), (int)(i / (size_t)grid->width));
    }
    put_pictures(renderer, &frame);
    if (grid->cursor && (frame.begun || !shown->cursor || shown->cursor_x != grid->cursor_x ||
                         shown->cursor_y != grid->cursor_y)) {
        gb_buf_addf(out, "\x1b[%d;%dH\x1b[?25h", grid->cursor_y + 1, grid->cursor_x + 1);
    } else if (!grid->cursor && shown->cursor && !frame.begun) {
        gb_buf_adds(out, "\x1b[?25l");
    }
    if (frame.begun && abilities->synchronized)
        gb_buf_adds(out, "\x1b[?2026l");
    remember(shown, grid);
}

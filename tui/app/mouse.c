/* SPDX-License-Identifier: Apache-2.0 */
/* What the mouse does by itself, whatever it is on: dragging copies text, the right button opens
 * the menu. A press is a click once the button is up again at the same place. */
#include <string.h>

#include "app/internal.h"
#include "base/mem.h"

/* The selection in the order of reading; the left edge of all rows but the first. */
struct mouse_span {
    int x0, y0, x1, y1, left;
};

static void mouse_span(const struct mouse *mouse, const struct grid *grid, struct mouse_span *ret)
{
    const bool down =
        mouse->y > mouse->from_y || (mouse->y == mouse->from_y && mouse->x >= mouse->from_x);

    *ret = (struct mouse_span){
        .x0 = MIN(down ? mouse->from_x : mouse->x, grid->width - 1),
        .y0 = MIN(down ? mouse->from_y : mouse->y, grid->height - 1),
        .x1 = MIN(down ? mouse->x : mouse->from_x, grid->width - 1),
        .y1 = MIN(down ? mouse->y : mouse->from_y, grid->height - 1),
    };
    /* Neither a gutter nor another pane, if it begins and ends to the right of that. */
    ret->left = MIN(ret->x0, ret->x1);
}

/* Columns @ret_from to @ret_to of row @y. */
static void mouse_row(const struct mouse_span *span, const struct grid *grid, int y, int *ret_from,
                      int *ret_to)
{
    *ret_from = y == span->y0 ? span->x0 : span->left;
    *ret_to = y == span->y1 ? span->x1 : grid->width - 1;
}

void mouse_paint(struct tui *tui)
{
    struct grid *grid = &tui->grid;
    struct mouse_span span;

    if (!tui->gesture.selecting)
        return;
    mouse_span(&tui->gesture, grid, &span);
    for (int y = span.y0; y <= span.y1; y++) {
        int from, to;

        mouse_row(&span, grid, y, &from, &to);
        for (int x = from; x <= to; x++)
            grid->cells[(size_t)y * (size_t)grid->width + (size_t)x].style.attributes ^=
                ATTRIBUTE_REVERSE;
    }
}

static void mouse_add_row(const struct grid *grid, int y, int from, int to, struct gb_buf *out)
{
    const struct cell *row = &grid->cells[(size_t)y * (size_t)grid->width];

    while (to >= from && row[to].size == 1 && row[to].text[0] == ' ')
        to--;
    for (int x = from; x <= to; x++)
        gb_buf_add(out, row[x].text, row[x].size);
}

static void mouse_copy(struct tui *tui)
{
    const struct grid *grid = &tui->grid; /* as painted last */
    struct mouse_span span;
    struct gb_buf text = {0};

    mouse_span(&tui->gesture, grid, &span);
    for (int y = span.y0; y <= span.y1; y++) {
        int from, to;

        mouse_row(&span, grid, y, &from, &to);
        mouse_add_row(grid, y, from, to, &text);
        if (y < span.y1)
            gb_buf_adds(&text, "\n");
    }
    tui->message_command[0] = '\0';
    if (text.size == 0)
        tui_say(tui, MESSAGE_PLAIN, "there is no text to copy");
    else if (!tui_copy(tui, gb_buf_bytes(&text)))
        tui_say(tui, MESSAGE_ERROR, "that is too much to copy");
    else if (span.y1 > span.y0)
        tui_say(tui, MESSAGE_GOOD, "copied %d lines", span.y1 - span.y0 + 1);
    else
        tui_say(tui, MESSAGE_GOOD, "copied: %s", gb_buf_str(&text));
    gb_buf_release(&text);
}

static void mouse_drag(struct mouse *mouse, int x, int y)
{
    mouse->selecting |= x != mouse->from_x || y != mouse->from_y;
    mouse->x = MAX(x, 0);
    mouse->y = MAX(y, 0);
}

bool mouse_event(struct tui *tui, const struct input_event *event, struct input_event *ret_event)
{
    struct mouse *mouse = &tui->gesture;

    *ret_event = *event;
    if (event->action == MOUSE_PRESS && event->button == 1) {
        *mouse = (struct mouse){.down = true,
                                .press = *event,
                                .from_x = event->x,
                                .from_y = event->y,
                                .x = event->x,
                                .y = event->y};
        return true;
    }
    if (!mouse->down || (event->action != MOUSE_DRAG && event->action != MOUSE_RELEASE))
        return false;
    if (event->action == MOUSE_DRAG) {
        mouse_drag(mouse, event->x, event->y);
        return true;
    }
    mouse->down = false;
    *ret_event = mouse->press;
    if (!mouse->selecting)
        return false;
    mouse_copy(tui);
    mouse->selecting = false;
    return true;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A terminal model for tests: of any size; it interprets the subset of ECMA-48 that a renderer may
 * send and fails the test at anything else. The width of ambiguous clusters is configurable. */
#pragma once

#include <string.h>
#include <utf8proc.h>

#include "check_run.h"
#include "base/mem.h"
#include "screen/look.h"
#include "glyph/glyph.h"

/* Check's assertions write to a file each time; these only do when they fail. */
#define HOLDS(condition)                                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            ck_abort_msg("%s", #condition);                                                        \
    } while (0)

enum { MODEL_TEXT = 32, MODEL_PARAMETERS = 16 };

struct model_cell {
    char text[MODEL_TEXT]; /* empty: the right half of the previous cell */
    struct look look;
    bool spoiled; /* by an adjacent cluster that is wider here than we assume */
};

struct model {
    int width, height;
    struct model_cell *cells;
    int uncertain_width; /* of clusters whose width terminals disagree about; 0: as we assume */
    int x, y, saved_x, saved_y;
    bool no_wrap, wrap; /* wrap: the next character goes on the next line */
    struct look look, saved_look;
    bool cursor, synchronized, margins;
    unsigned alternate; /* times entered minus times left */
    size_t bytes;
};

static struct model_cell *model_at(struct model *model, int x, int y)
{
    HOLDS(x >= 0 && x < model->width && y >= 0 && y < model->height);
    return &model->cells[y * model->width + x];
}

static void model_blank(struct model *model, int x, int y)
{
    *model_at(model, x, y) = (struct model_cell){.text = " ", .look.bg = model->look.bg};
}

static void model_resize(struct model *model, int width, int height)
{
    free(model->cells);
    model->cells = xcalloc((size_t)(width * height), sizeof(*model->cells));
    model->width = width;
    model->height = height;
    model->x = model->y = 0;
    for (int i = 0; i < width * height;
         i++) /* cleared to something visible, since a terminal may show anything there */
        memcpy(model->cells[i].text, "#", 2);
}

static bool model_is_mark(utf8proc_int32_t c)
{
    utf8proc_category_t category = utf8proc_category(c);

    return category == UTF8PROC_CATEGORY_MN || category == UTF8PROC_CATEGORY_ME;
}

static void model_put_mark(struct model *model, const char *text, size_t size)
{
    struct model_cell *cell;
    int x = model->wrap ? model->x : model->x - 1;

    while (x > 0 && model_at(model, x, model->y)->text[0] == '\0')
        x--;
    cell = model_at(model, x, model->y);
    HOLDS(strlen(cell->text) + size < MODEL_TEXT);
    strncat(cell->text, text, size);
}

static void model_put(struct model *model, const uint8_t *text, size_t size, utf8proc_int32_t c)
{
    struct glyph glyph;
    int width;

    if (model_is_mark(c)) {
        model_put_mark(model, (const char *)text, size);
        return;
    }
    (void)glyph_next((struct gb_bytes){text, size}, &glyph);
    width = glyph.uncertain && model->uncertain_width > 0 ? model->uncertain_width : glyph.width;
    if (model->no_wrap) {
        model->x = MIN(model->x, model->width - width);
    } else if (model->wrap || model->x + width > model->width) {
        model->x = 0;
        model->y = MIN(model->y + 1, model->height - 1);
    }
    model->wrap = false;
    for (int i = 0; i < width; i++)
        *model_at(model, model->x + i, model->y) = (struct model_cell){.look = model->look};
    for (int i = 0; i < width; i++)
        model_at(model, model->x + i, model->y)->spoiled = width > glyph.width;
    memcpy(model_at(model, model->x, model->y)->text, text, size);
    model->x += width;
    if (model->x == model->width) {
        model->x--;
        model->wrap = !model->no_wrap;
    }
}

static colour model_colour(const int *parameters, int *at)
{
    if (parameters[*at + 1] == 5) {
        *at += 2;
        return COLOUR_INDEX((colour)parameters[*at]);
    }
    ck_assert_int_eq(parameters[*at + 1], 2);
    *at += 4;
    return COLOUR_RGB(
        (colour)(parameters[*at - 2] << 16 | parameters[*at - 1] << 8 | parameters[*at]));
}

static void model_sgr(struct model *model, const int *parameters, int count)
{
    static const char on[] = "123479";

    for (int i = 0; i < count; i++) {
        int p = parameters[i];
        const char *attribute = p > 0 && p < 10 ? strchr(on, '0' + p) : NULL;

        if (p == 0)
            model->look = (struct look){0};
        else if (attribute != NULL)
            model->look.attributes |= (uint8_t)(1 << (attribute - on));
        else if (p == 22)
            model->look.attributes &= (uint8_t) ~(ATTRIBUTE_BOLD | ATTRIBUTE_DIM);
        else if (p > 22 && p < 30 && (attribute = strchr(on, '0' + p - 20)) != NULL)
            model->look.attributes &= (uint8_t) ~(1 << (attribute - on));
        else if (p == 38)
            model->look.fg = model_colour(parameters, &i);
        else if (p == 48)
            model->look.bg = model_colour(parameters, &i);
        else if (p == 39)
            model->look.fg = COLOUR_NONE;
        else if (p == 49)
            model->look.bg = COLOUR_NONE;
        else if (p >= 30 && p < 38)
            model->look.fg = COLOUR_INDEX((colour)p - 30);
        else if (p >= 40 && p < 48)
            model->look.bg = COLOUR_INDEX((colour)p - 40);
        else if (p >= 90 && p < 98)
            model->look.fg = COLOUR_INDEX((colour)p - 82);
        else if (p >= 100 && p < 108)
            model->look.bg = COLOUR_INDEX((colour)p - 92);
        else
            ck_abort_msg("SGR %d", p);
    }
}

static void model_erase(struct model *model, int from_x, int from_y, int to_x, int to_y)
{
    for (int y = from_y; y <= to_y; y++)
        for (int x = y == from_y ? from_x : 0; x <= (y == to_y ? to_x : model->width - 1); x++)
            model_blank(model, x, y);
}

/* ICH: moves the text from the cursor on to the right, and off the line. */
static void model_insert(struct model *model, int count)
{
    for (int x = model->width - 1; x >= model->x; x--)
        if (x >= model->x + count)
            *model_at(model, x, model->y) = *model_at(model, x - count, model->y);
        else
            model_blank(model, x, model->y);
}

static void model_go(struct model *model, int x, int y)
{
    model->x = MAX(0, MIN(x, model->width - 1));
    model->y = MAX(0, MIN(y, model->height - 1));
    model->wrap = false;
}

static void model_mode(struct model *model, int mode, bool on)
{
    if (mode == 25) {
        model->cursor = on;
    } else if (mode == 2026) {
        ck_assert(model->synchronized != on);
        model->synchronized = on;
    } else if (mode == 1049) {
        ck_assert_uint_eq(model->alternate, on ? 0 : 1);
        model->alternate = on;
    } else if (mode == 7) {
        model->no_wrap = !on;
    } else {
        ck_assert_int_eq(mode, 12);
    }
}

static void model_csi(struct model *model, char private, const int *parameters, int count,
                      char final)
{
    const int first = MAX(parameters[0], 1), right = model->width - 1, bottom = model->height - 1;

    if (private == '?') {
        ck_assert(final == 'h' || final == 'l');
        model_mode(model, parameters[0], final == 'h');
        return;
    }
    switch (final) {
    case 'm':
        model_sgr(model, parameters, MAX(count, 1));
        break;
    case 'H':
        model_go(model, MAX(parameters[1], 1) - 1, first - 1);
        break;
    case 'A':
        model_go(model, model->x, model->y - first);
        break;
    case 'B':
        model_go(model, model->x, model->y + first);
        break;
    case 'C':
        model_go(model, model->x + first, model->y);
        break;
    case 'D':
        model_go(model, model->x - first, model->y);
        break;
    case 'G':
        model_go(model, first - 1, model->y);
        break;
    case 'd':
        model_go(model, model->x, first - 1);
        break;
    case 'K':
        if (parameters[0] == 1)
            model_erase(model, 0, model->y, model->x, model->y);
        else
            model_erase(model, model->x, model->y, right, model->y);
        break;
    case 'J':
        if (parameters[0] == 2)
            model_erase(model, 0, 0, right, bottom);
        else
            model_erase(model, model->x, model->y, right, bottom);
        break;
    case 'X':
        model_erase(model, model->x, model->y, MIN(model->x + first - 1, right), model->y);
        break;
    case 'h':
        HOLDS(parameters[0] == 34); /* what the cursor looks like */
        break;
    case '@':
        model_insert(model, first);
        break;
    case 'r': /* sets or resets the scrolling region */
        model->margins = count > 0;
        model_go(model, 0, 0);
        break;
    case 't':
    case 'l':
        break; /* title stack, insertion off: no effect here */
    default:
        ck_abort_msg("CSI %c", final);
    }
}

/* One escape sequence; returns its length in bytes. */
static size_t model_escape(struct model *model, const char *text)
{
    int parameters[MODEL_PARAMETERS] = {0}, count = 0;
    size_t at = 2;
    char private = '\0';

    switch (text[1]) {
    case '7':
        model->saved_x = model->x;
        model->saved_y = model->y;
        model->saved_look = model->look;
        return 2;
    case '8':
        model_go(model, model->saved_x, model->saved_y);
        model->look = model->saved_look;
        return 2;
    case 'M':
        HOLDS(model->y > 0); /* must not scroll */
        model_go(model, model->x, model->y - 1);
        return 2;
    case '(':
    case ')':
        return 3;
    case '[':
        break;
    default:
        ck_abort_msg("ESC %c", text[1]);
    }
    if (text[at] == '?')
    private = text[at++];
    while ((text[at] >= '0' && text[at] <= '9') || text[at] == ';') {
        HOLDS(count < MODEL_PARAMETERS);
        if (text[at] == ';')
            count++;
        else
            parameters[count] = 10 * parameters[count] + text[at] - '0';
        at++;
    }
    if (at > 2 + (private != '\0'))
        count++;
    model_csi(model, private, parameters, count, text[at]);
    return at + 1;
}

static void model_feed(struct model *model, struct gb_bytes bytes)
{
    struct gb_buf copy = {0};
    const char *text;

    gb_buf_add(&copy, bytes.data, bytes.size);
    text = gb_buf_str(&copy);
    model->bytes += bytes.size;
    for (size_t at = 0; at < bytes.size;) {
        utf8proc_int32_t c;
        utf8proc_ssize_t n;

        if (text[at] == '\x1b') {
            at += model_escape(model, text + at);
            continue;
        }
        n = utf8proc_iterate((const uint8_t *)text + at, (utf8proc_ssize_t)(bytes.size - at), &c);
        HOLDS(n > 0);
        if (c == '\r')
            model_go(model, 0, model->y);
        else if (c == '\n')
            model_go(model, model->x, model->y + 1);
        else if (c == 0x0f) /* ASCII, not line drawing */
            ;
        else if (c == '\b')
            model_go(model, model->x - 1, model->y);
        else {
            HOLDS(c >= 0x20);
            model_put(model, (const uint8_t *)text + at, (size_t)n, c);
        }
        at += (size_t)n;
    }
    gb_buf_release(&copy);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Graphs made of characters: with Braille two values per column and four dots per row, with blocks
 * eighths. */
#include <string.h>

#include "base/mem.h"
#include "screen/grid.h"

static enum role graph_role_of(double share)
{
    return share < 0.6 ? ROLE_GRAPH_LOW : share < 0.85 ? ROLE_GRAPH_MIDDLE : ROLE_GRAPH_HIGH;
}

/* Dots of a four-dot column, filled from below: left and right half of a Braille cell. */
static const uint8_t left_dots[] = {0x00, 0x40, 0x44, 0x46, 0x47};
static const uint8_t right_dots[] = {0x00, 0x80, 0xa0, 0xb0, 0xb8};

static void graph_put_sign(struct glyph *glyph, uint32_t c)
{
    *glyph = (struct glyph){.size = 3, .width = 1};
    glyph->text[0] = (char)(0xe0 | (c >> 12));
    glyph->text[1] = (char)(0x80 | ((c >> 6) & 0x3f));
    glyph->text[2] = (char)(0x80 | (c & 0x3f));
}

static size_t graph_values_per_column(enum graph_signs signs)
{
    return signs == GRAPH_BRAILLE ? 2 : 1;
}

/* Heights that a row can show. */
static int graph_steps_per_row(enum graph_signs signs)
{
    return signs == GRAPH_BLOCKS ? 8 : 4;
}

/* How many of @steps the value fills; at least one if it is not zero. */
static int graph_height_of(float value, float top, int steps)
{
    int height;

    if (!(value > 0) || !(top > 0))
        return 0;
    height = (int)(value / top * (float)steps + 0.5f);
    return MAX(1, MIN(height, steps));
}

static float graph_value_at(const float *values, size_t count, size_t back)
{
    return back < count ? values[count - 1 - back] : 0;
}

static void graph_paint_column(struct region region, int x, enum graph_signs signs, int left,
                               int right, bool plain)
{
    int steps = graph_steps_per_row(signs);
    static const char ascii[] = " .:|#";

    for (int row = 0; row < region.height; row++) {
        int base = (region.height - 1 - row) * steps;
        int l = MAX(0, MIN(left - base, steps)), r = MAX(0, MIN(right - base, steps));
        double share = (double)MAX(left, right) / (double)(region.height * steps);
        struct style style = STYLE(plain ? ROLE_GRAPH_LOW : graph_role_of(share));
        struct glyph glyph = {.text = " ", .size = 1, .width = 1};

        if (l == 0 && r == 0) {
            style = STYLE(ROLE_GRAPH_EMPTY);
            if (row == region.height - 1 && signs == GRAPH_BRAILLE)
                graph_put_sign(&glyph, 0x2800 | 0xc0);
            else if (row == region.height - 1 && signs == GRAPH_BLOCKS)
                graph_put_sign(&glyph, 0x2581);
        } else if (signs == GRAPH_BRAILLE) {
            graph_put_sign(&glyph, 0x2800u | left_dots[l] | right_dots[r]);
        } else if (signs == GRAPH_BLOCKS) {
            graph_put_sign(&glyph, 0x2580u + (uint32_t)r);
        } else {
            glyph.text[0] = ascii[r];
        }
        paint_glyph(region, x, row, style, &glyph);
    }
}

bool graph_is_flat(struct region region, enum graph_signs signs, const float *values, size_t count,
                   float top)
{
    const size_t per_column = graph_values_per_column(signs);
    const int steps = region.height * graph_steps_per_row(signs);
    const size_t whole = count - count % per_column; /* what paint_graph() draws */
    const size_t shown = MIN(whole, (size_t)MAX(region.width, 0) * per_column);
    float least = 0, most = 0;

    for (size_t i = 0; i < shown; i++) {
        const float value = values[whole - 1 - i];

        least = i == 0 ? value : MIN(least, value);
        most = MAX(most, value);
    }
    return graph_height_of(least, top, steps) == graph_height_of(most, top, steps);
}

void paint_graph(struct region region, enum graph_signs signs, const float *values, size_t count,
                 float top)
{
    size_t per_column = graph_values_per_column(signs);
    int steps = region.height * graph_steps_per_row(signs);
    bool plain = !(top > 0);

    if (region_empty(region))
        return;
    count -= count % per_column; /* a column is drawn only once it is complete */
    if (plain)
        for (size_t i = 0; i < count && i < (size_t)region.width * per_column; i++)
            top = MAX(top, values[count - 1 - i]);
    for (int x = 0; x < region.width; x++) {
        size_t back = (size_t)(region.width - 1 - x) * per_column;
        int right = graph_height_of(graph_value_at(values, count, back), top, steps);
        int left = per_column == 2
                       ? graph_height_of(graph_value_at(values, count, back + 1), top, steps)
                       : right;

        graph_paint_column(region, x, signs, left, right, plain);
    }
}

void paint_gauge(struct region region, int x, int y, int columns, enum graph_signs signs,
                 double share, struct style full)
{
    int halves;

    share = share > 0 ? MIN(share, 1.0) : 0;
    halves = (int)(share * columns * 2 + 0.5);
    if (share > 0 && halves == 0)
        halves = 1;
    for (int i = 0; i < columns; i++) {
        int here = MAX(0, MIN(halves - i * 2, 2));
        struct glyph glyph = {.text = " ", .size = 1, .width = 1};

        if (signs == GRAPH_ASCII)
            glyph.text[0] = here == 2 ? '#' : '.';
        else if (here > 0)
            graph_put_sign(&glyph, here == 2 ? 0x2501 : 0x2578);
        else
            graph_put_sign(&glyph, 0x2500);
        paint_glyph(region, x + i, y, here > 0 ? full : STYLE(ROLE_GRAPH_EMPTY), &glyph);
    }
}

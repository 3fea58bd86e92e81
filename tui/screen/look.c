/* SPDX-License-Identifier: Apache-2.0 */
#include "screen/look.h"

#include "base/mem.h"

/* xterm's 16 colours: a guess at what the user's terminal shows. */
static const uint32_t look_ansi[16] = {
    0x000000, 0xcd0000, 0x00cd00, 0xcdcd00, 0x0000ee, 0xcd00cd, 0x00cdcd, 0xe5e5e5,
    0x7f7f7f, 0xff0000, 0x00ff00, 0xffff00, 0x5c5cff, 0xff00ff, 0x00ffff, 0xffffff,
};
static const uint8_t look_steps[6] = {0x00, 0x5f, 0x87, 0xaf, 0xd7, 0xff};

uint32_t colour_of_index(unsigned index)
{
    if (index < 16)
        return look_ansi[index];
    if (index < 232) {
        unsigned n = index - 16;

        return (uint32_t)look_steps[n / 36] << 16 | (uint32_t)look_steps[n / 6 % 6] << 8 |
               look_steps[n % 6];
    }
    return (8 + 10 * (MIN(index, 255u) - 232)) * 0x010101u;
}

/* A distance that approximates perception well enough ("redmean"). */
static long look_distance(uint32_t a, uint32_t b)
{
    long ra = a >> 16 & 0xff, rb = b >> 16 & 0xff, mean = (ra + rb) / 2;
    long r = ra - rb, g = (long)(a >> 8 & 0xff) - (long)(b >> 8 & 0xff);
    long bl = (long)(a & 0xff) - (long)(b & 0xff);

    return (512 + mean) * r * r / 256 + 4 * g * g + (767 - mean) * bl * bl / 256;
}

static unsigned look_nearest(uint32_t rgb, unsigned from, unsigned to)
{
    unsigned best = from;
    long least = look_distance(rgb, colour_of_index(from));

    for (unsigned i = from + 1; i < to; i++) {
        long d = look_distance(rgb, colour_of_index(i));

        if (d < least) {
            least = d;
            best = i;
        }
    }
    return best;
}

colour colour_reduce(colour c, enum colour_depth depth)
{
    if (c == COLOUR_NONE || depth == DEPTH_MONO)
        return COLOUR_NONE;
    if (depth == DEPTH_RGB || (COLOUR_IS_INDEX(c) && (depth == DEPTH_256 || (c & 0xff) < 16)))
        return c;
    if (depth == DEPTH_256)
        return COLOUR_INDEX(look_nearest(c & 0xffffff, 16, 256));
    return COLOUR_INDEX(
        look_nearest(COLOUR_IS_INDEX(c) ? colour_of_index(c & 0xff) : c & 0xffffff, 0, 16));
}

struct look look_resolve(const struct looks *looks, struct style style, enum colour_depth depth)
{
    struct look look = looks->roles[style.role < ROLE_COUNT ? style.role : ROLE_TEXT];

    if (style.fg != COLOUR_NONE)
        look.fg = style.fg;
    if (style.bg != COLOUR_NONE)
        look.bg = style.bg;
    look.attributes |= style.attributes;
    look.fg = colour_reduce(look.fg, depth);
    look.bg = colour_reduce(look.bg, depth);
    return look;
}

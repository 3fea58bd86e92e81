/* SPDX-License-Identifier: Apache-2.0 */
/* Colours and attributes as a program asked for them. */
#pragma once

#include <stdint.h>

/* A colour: the terminal's own, one of 256, or 24 bits. */
enum { TEXT_COLOUR_DEFAULT = 0, TEXT_COLOUR_INDEX = 0x01000000, TEXT_COLOUR_RGB = 0x02000000 };

enum text_attribute {
    TEXT_BOLD = 1 << 0,
    TEXT_DIM = 1 << 1,
    TEXT_ITALIC = 1 << 2,
    TEXT_UNDERLINE = 1 << 3,
    TEXT_REVERSE = 1 << 4,
    TEXT_STRIKE = 1 << 5,
    TEXT_CONCEAL = 1 << 6, /* asked for by SGR 8; what is concealed is shown dim: nothing hides */
    TEXT_HIDDEN = 1 << 7,  /* the unit stands for one that cannot be shown (unit.h) */
};

struct text_style {
    uint32_t fg,
        bg; /* TEXT_COLOUR_DEFAULT, TEXT_COLOUR_INDEX | 0–255, TEXT_COLOUR_RGB | 0xrrggbb */
    uint8_t attributes;
};

static inline int text_style_equal(struct text_style a, struct text_style b)
{
    return a.fg == b.fg && a.bg == b.bg && a.attributes == b.attributes;
}

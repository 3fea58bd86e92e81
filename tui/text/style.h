/* SPDX-License-Identifier: Apache-2.0 */
/* Colours and attributes as requested by a program. */
#pragma once

#include <stdint.h>

/* A colour: the terminal's default, one of 256, or 24-bit RGB. */
enum { TEXT_COLOUR_DEFAULT = 0, TEXT_COLOUR_INDEX = 0x01000000, TEXT_COLOUR_RGB = 0x02000000 };

enum text_attribute {
    TEXT_BOLD = 1 << 0,
    TEXT_DIM = 1 << 1,
    TEXT_ITALIC = 1 << 2,
    TEXT_UNDERLINE = 1 << 3,
    TEXT_REVERSE = 1 << 4,
    TEXT_STRIKE = 1 << 5,
    TEXT_CONCEAL = 1 << 6, /* requested by SGR 8; concealed text is shown dim, since nothing may
                            * hide */
    TEXT_HIDDEN = 1 << 7,  /* the unit replaces one that cannot be shown (unit.h) */
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

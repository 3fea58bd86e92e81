/* SPDX-License-Identifier: Apache-2.0 */
/* What a style looks like on a terminal of a given depth of colour. */
#pragma once

#include <stdint.h>

#include "screen/style.h"

enum colour_depth { DEPTH_MONO, DEPTH_16, DEPTH_256, DEPTH_RGB, DEPTH_COUNT };

/* What a role looks like. */
struct look {
    colour fg, bg; /* COLOUR_NONE: the terminal's */
    uint8_t attributes;
};

/* The looks of all roles. */
struct looks {
    struct look roles[ROLE_COUNT];
};

/* The look of a style in colours that @depth has. */
struct look look_resolve(const struct looks *looks, struct style style, enum colour_depth depth);

/* The nearest colour that @depth has. */
colour colour_reduce(colour c, enum colour_depth depth);
/* Red, green and blue of a colour of the palette of 256. */
uint32_t colour_of_index(unsigned index);

/* SPDX-License-Identifier: Apache-2.0 */
/* The appearance of a style on a terminal of a given colour depth. */
#pragma once

#include <stdint.h>

#include "screen/style.h"

enum colour_depth { DEPTH_MONO, DEPTH_16, DEPTH_256, DEPTH_RGB, DEPTH_COUNT };

/* The appearance of a role. */
struct look {
    colour fg, bg; /* COLOUR_NONE: the terminal's default */
    uint8_t attributes;
};

/* The looks of all roles. */
struct looks {
    struct look roles[ROLE_COUNT];
};

/* The look of a style, in colours available at @depth. */
struct look look_resolve(const struct looks *looks, struct style style, enum colour_depth depth);

/* The nearest colour available at @depth. */
colour colour_reduce(colour c, enum colour_depth depth);
/* The RGB value of a colour in the 256-colour palette. */
uint32_t colour_of_index(unsigned index);

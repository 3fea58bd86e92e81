/* SPDX-License-Identifier: Apache-2.0 */
/* Looks as SGR sequences. */
#pragma once

#include "screen/render.h"

/* What the terminal was told last; zeroed: after a reset. */
struct sgr {
    struct look look;
};

/* The look of a style in colours that @depth has. */
struct look sgr_resolve(const struct looks *looks, struct style style, enum colour_depth depth);
/* Adds the sequence that changes to @look; nothing when it is the same. */
void sgr_change(struct sgr *sgr, struct look look, struct gb_buf *out);

/* SPDX-License-Identifier: Apache-2.0 */
/* What terminfo and the environment say of the terminal, and the terminfo entry that paints on it.
 *
 * The terminal's own entry paints where it has 256 colours and the terminal no more, and where it
 * has no colours. Elsewhere it would take something away: a terminal of 24-bit colours is known by
 * COLORTERM, while its entry has 256, and Debian has no other without ncurses-term; `screen` and
 * `linux` have 8 of the 16 colours that they show; `screen` has no italics, which NO_COLOR leaves
 * to standard error. For those there are two entries of our own (glassbell.terminfo), compiled by
 * the build and installed in the folder `terminfo` beside the themes.
 */
#pragma once

#include "base/err.h"
#include "screen/look.h"

enum { TERMINFO_NAME_MAX = 128 };

struct terminfo {
    enum colour_depth depth;
    char entry[TERMINFO_NAME_MAX];
    char *database; /* where the entry lies; NULL: where the environment says */
};

/* Fills @ret_terminfo for the terminal at @fd. NO_COLOR, COLORTERM and TERM are heard, and TERMINFO
 * and TERMINFO_DIRS by ncurses. GB_EUNSUPPORTED when the terminal is not known or cannot place its
 * cursor. */
int terminfo_find(int fd, struct terminfo *ret_terminfo, struct gb_err *err);
void terminfo_release(struct terminfo *terminfo);

/* newterm() with the entry, on a file that takes what ncurses writes. NULL when ncurses cannot use
 * it. The environment and the signals' handlers are as before when it returns. The caller has
 * delscreen(). */
struct screen;
struct screen *terminfo_screen(const struct terminfo *terminfo, void *file);

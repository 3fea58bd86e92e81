/* SPDX-License-Identifier: Apache-2.0 */
/* The terminal's abilities according to terminfo and the environment, and the terminfo entry to
 * use.
 *
 * The terminal's own entry is used where it has 256 colours and the terminal no more, and where it
 * has no colours. Elsewhere it would lose something: a 24-bit terminal is recognised by COLORTERM,
 * while its entry has 256 colours, and Debian has no better one without ncurses-term; `screen` and
 * `linux` have entries with 8 of their 16 colours; the entry of `screen` has no italics, which
 * with NO_COLOR are all that marks standard error. For these cases there are two entries of our own
 * (glassbell.terminfo), compiled by the build and installed in the folder `terminfo` next to the
 * themes.
 */
#pragma once

#include "base/err.h"
#include "screen/look.h"

enum { TERMINFO_NAME_MAX = 128 };

struct terminfo {
    enum colour_depth depth;
    char entry[TERMINFO_NAME_MAX];
    char *database; /* directory that contains the entry; NULL: from the environment */
};

/* Fills @ret_terminfo for the terminal at @fd. Uses NO_COLOR, COLORTERM and TERM; ncurses uses
 * TERMINFO and TERMINFO_DIRS. GB_EUNSUPPORTED if the terminal is unknown or has no cursor
 * addressing. */
int terminfo_find(int fd, struct terminfo *ret_terminfo, struct gb_err *err);
void terminfo_release(struct terminfo *terminfo);

/* newterm() with the entry, on a file that receives ncurses' output. NULL if ncurses cannot use it.
 * Restores the environment and the signal handlers before it returns. The caller calls
 * delscreen(). */
struct screen;
struct screen *terminfo_screen(const struct terminfo *terminfo, void *file);

/* SPDX-License-Identifier: Apache-2.0 */
/* Themes: a file that gives roles their colours.
 *
 *     [theme]
 *     name = Dusk
 *     kind = dark            dark or light
 *     inherit = dark         another theme that gives what this one leaves out
 *     [palette]
 *     ground = #1d2021
 *     [roles]
 *     text = ink on ground
 *     table.heading = #83a598 bold
 *
 * A look is [COLOUR] [on COLOUR] [bold dim italic underline reverse strike]; a colour is a name of
 * the palette, #rrggbb, one of the 16 names of ANSI (red, bright-red …) or default. A role that is
 * not given has the look of what its name begins with (table.row.selected: table.row, table), at
 * last that of `text`; a background that is not given is that of `text`.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "screen/render.h"

enum {
    THEME_BYTES_MAX = 64 << 10,
    THEME_NAME_MAX = 64,
    THEME_PALETTE_MAX = 64,
    THEME_INHERIT_MAX = 4,
    THEME_LIST_MAX = 64,
};

struct theme {
    char name[THEME_NAME_MAX];
    bool light;
    struct looks looks;
};

/* What a file says, before inheritance. */
struct theme_file {
    char name[THEME_NAME_MAX], inherit[THEME_NAME_MAX];
    int light; /* -1: not told */
    struct {
        char name[THEME_NAME_MAX];
        colour value; /* COLOUR_NONE: default */
    } palette[THEME_PALETTE_MAX];
    size_t palette_count;
    char roles[ROLE_COUNT][96]; /* as written; empty: not given */
};

/* Strictly: GB_EINVALID with the line for anything that is not understood. */
int theme_parse(struct gb_bytes text, const char *name, struct theme_file *ret_file,
                struct gb_err *err);
/* @files: the theme, then what it inherits from, in that order. */
int theme_resolve(const struct theme_file *files, size_t count, struct theme *ret_theme,
                  struct gb_err *err);

/* Finds NAME.theme: in the folder of the person ($XDG_CONFIG_HOME/glassbell/themes), beside the
 * program in a build tree, and in the installation. Names with a slash are refused. */
int theme_load(const char *name, struct theme *ret_theme, struct gb_err *err);
/* The names that theme_load() would find, sorted, each once. Returns how many. */
size_t theme_list(char names[THEME_LIST_MAX][THEME_NAME_MAX]);
/* What is shown when no file can be read: attributes only. */
void theme_fallback(struct theme *ret_theme);

/* Contrast of two colours by WCAG 2 (1–21). */
double theme_contrast(colour a, colour b);

/* SPDX-License-Identifier: Apache-2.0 */
/* Themes: files that define the colours of roles.
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
 * A look is [COLOUR] [on COLOUR] [bold dim italic underline reverse strike]; a colour is a name
 * from the palette, #rrggbb, one of the 16 ANSI names (red, bright-red …) or default. A role that
 * is not given has the look of the longest given prefix of its name (table.row.selected: table.row,
 * table), finally that of `text`; a background that is not given is that of `text`.
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

/* The content of a file, before inheritance. */
struct theme_file {
    char name[THEME_NAME_MAX], inherit[THEME_NAME_MAX];
    int light; /* -1: not given */
    struct {
        char name[THEME_NAME_MAX];
        colour value; /* COLOUR_NONE: default */
    } palette[THEME_PALETTE_MAX];
    size_t palette_count;
    char roles[ROLE_COUNT][96]; /* as written; empty: not given */
};

/* Strict: GB_EINVALID with the line number for anything invalid. */
int theme_parse(struct gb_bytes text, const char *name, struct theme_file *ret_file,
                struct gb_err *err);
/* @files: the theme, then those that it inherits from, in order. */
int theme_resolve(const struct theme_file *files, size_t count, struct theme *ret_theme,
                  struct gb_err *err);

/* Finds NAME.theme: in the user's folder ($XDG_CONFIG_HOME/glassbell/themes), next to the program
 * in a build tree, and in the installation. Refuses names with a slash. */
int theme_load(const char *name, struct theme *ret_theme, struct gb_err *err);
/* The names that theme_load() can find, sorted and unique. Returns their number. */
size_t theme_list(char names[THEME_LIST_MAX][THEME_NAME_MAX]);
/* The theme if no file can be read: attributes only. */
void theme_fallback(struct theme *ret_theme);

/* The WCAG 2 contrast ratio of two colours (1–21). */
double theme_contrast(colour a, colour b);

/* SPDX-License-Identifier: Apache-2.0 */
#include "app/terminfo.h"

#include <stdlib.h>
#include <string.h>

#include <curses.h>
#include <term.h>

/* The library's prototypes take names that they do not change as char *. */
static const char *text_of(const char *name)
{
    return tigetstr((char *)(uintptr_t)name);
}

static bool has_flag(const char *name)
{
    return tigetflag((char *)(uintptr_t)name) > 0;
}

static enum colour_depth find_depth(const char *term)
{
    const char *no = getenv("NO_COLOR"), *more = getenv("COLORTERM");
    int colours = tigetnum((char *)(uintptr_t) "colors");

    if ((no != NULL && no[0] != '\0') || colours < 8)
        return DEPTH_MONO;
    if (strncmp(term, "linux", 5) == 0)
        return DEPTH_16;
    if ((more != NULL && (strcmp(more, "truecolor") == 0 || strcmp(more, "24bit") == 0)) ||
        has_flag("RGB") || has_flag("Tc") || colours > 256)
        return DEPTH_RGB;
    return colours >= 256 ? DEPTH_256 : DEPTH_16;
}

int terminfo_depth(int fd, enum colour_depth *ret_depth, struct gb_err *err)
{
    const char *term = getenv("TERM"), *place;
    int status = 0;

    if (term == NULL || setupterm(NULL, fd, &status) != OK)
        return gb_err_set(err, GB_EUNSUPPORTED, "the terminal %s is not known here",
                          term != NULL ? term : "(TERM is not set)");
    place = text_of("cup");
    if (place == NULL || place[0] == '\0' || strncmp(term, "dumb", 4) == 0) {
        (void)del_curterm(cur_term);
        return gb_err_set(err, GB_EUNSUPPORTED, "the terminal %s cannot place its cursor", term);
    }
    *ret_depth = find_depth(term);
    (void)del_curterm(cur_term);
    return 0;
}

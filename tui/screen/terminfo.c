/* SPDX-License-Identifier: Apache-2.0 */
#include "screen/terminfo.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <curses.h>
#include <term.h>

#include "base/mem.h"
#include "platform/program.h"

enum { FOLDERS_MAX = 3 };

/* The library declares names that it does not modify as char *. */
static char *terminfo_name(const char *name)
{
    return (char *)(uintptr_t)name;
}

/* ---- the database ---- */

/* Sets TERMINFO; returns its previous value, for terminfo_restore(). */
static char *terminfo_point_at(const char *database)
{
    const char *before = getenv("TERMINFO");
    char *saved = before != NULL ? xstrdup(before) : NULL;

    if (database != NULL)
        (void)setenv("TERMINFO", database, 1);
    return saved;
}

static void terminfo_restore(char *saved)
{
    if (saved != NULL)
        (void)setenv("TERMINFO", saved, 1);
    else
        (void)unsetenv("TERMINFO");
    free(saved);
}

/* The folders that may contain our entries; returns their number. */
static size_t terminfo_folders(char *folders[FOLDERS_MAX])
{
    _cleanup_(freep) char *program = gb_program_folder();
    size_t count = 0;

    if (program != NULL) {
        /* A build tree: the program is PRESET/PART/NAME. */
        _cleanup_(freep) char *cache = xasprintf("%s/../CMakeCache.txt", program);

        if (access(cache, F_OK) == 0)
            folders[count++] = xasprintf("%s/../terminfo", program);
        folders[count++] = xasprintf("%s/../share/glassbell/terminfo", program);
    }
    folders[count++] = xstrdup(GB_DATADIR "/glassbell/terminfo");
    return count;
}

static bool terminfo_has(const char *database, const char *entry)
{
    char *saved = terminfo_point_at(database);
    int status = 0;
    bool has = setupterm(terminfo_name(entry), STDERR_FILENO, &status) == OK;

    if (has)
        (void)del_curterm(cur_term);
    terminfo_restore(saved);
    return has;
}

/* Uses an entry of ours where it is installed. */
static bool terminfo_use(struct terminfo *terminfo, const char *entry)
{
    char *folders[FOLDERS_MAX];
    size_t count = terminfo_folders(folders);

    for (size_t i = 0; i < count; i++) {
        if (terminfo->database == NULL && terminfo_has(folders[i], entry))
            terminfo->database = folders[i];
        else
            free(folders[i]);
    }
    if (terminfo->database != NULL)
        (void)snprintf(terminfo->entry, sizeof(terminfo->entry), "%s", entry);
    return terminfo->database != NULL;
}

/* ---- what the terminal can do ---- */

static enum colour_depth terminfo_depth(const char *term, int colours)
{
    const char *no = getenv("NO_COLOR"), *more = getenv("COLORTERM");

    if ((no != NULL && no[0] != '\0') || colours < 8)
        return DEPTH_MONO;
    if (strncmp(term, "linux", 5) == 0)
        return DEPTH_16;
    if ((more != NULL && (strcmp(more, "truecolor") == 0 || strcmp(more, "24bit") == 0)) ||
        tigetflag(terminfo_name("RGB")) > 0 || tigetflag(terminfo_name("Tc")) > 0 || colours > 256)
        return DEPTH_RGB;
    return colours >= 256 ? DEPTH_256 : DEPTH_16;
}

/* The terminal's own entry is used if it has 256 colours and the terminal shows no more, or if it
 * has none. An entry with RGB does not help: its colour numbers from 8 on are shades of blue, so
 * that the 256-colour palette, which guests use, cannot be expressed. */
static void terminfo_choose(struct terminfo *terminfo, int colours)
{
    if (terminfo->depth == DEPTH_RGB && !terminfo_use(terminfo, "glassbell-direct"))
        terminfo->depth = colours >= 256 ? DEPTH_256 : DEPTH_16;
    if (terminfo->depth < DEPTH_256 && colours >= 8)
        (void)terminfo_use(terminfo, "glassbell-16color");
}

int terminfo_find(int fd, struct terminfo *ret_terminfo, struct gb_err *err)
{
    const char *term = getenv("TERM"), *place;
    int status = 0, colours;

    *ret_terminfo = (struct terminfo){0};
    if (term == NULL || strlen(term) >= sizeof(ret_terminfo->entry) ||
        setupterm(NULL, fd, &status) != OK)
        return gb_err_set(err, GB_EUNSUPPORTED, "the terminal %s is not known here",
                          term != NULL ? term : "(TERM is not set)");
    place = tigetstr(terminfo_name("cup"));
    if (place == NULL || place[0] == '\0' || strncmp(term, "dumb", 4) == 0) {
        (void)del_curterm(cur_term);
        return gb_err_set(err, GB_EUNSUPPORTED, "the terminal %s cannot place its cursor", term);
    }
    colours = tigetnum(terminfo_name("colors"));
    ret_terminfo->depth = terminfo_depth(term, colours);
    (void)del_curterm(cur_term);
    (void)snprintf(ret_terminfo->entry, sizeof(ret_terminfo->entry), "%s", term);
    terminfo_choose(ret_terminfo, colours);
    return 0;
}

void terminfo_release(struct terminfo *terminfo)
{
    free(terminfo->database);
    terminfo->database = NULL;
}

/* ---- newterm ---- */

struct screen *terminfo_screen(const struct terminfo *terminfo, void *file)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGTSTP, SIGWINCH};
    struct sigaction actions[ARRAY_SIZE(numbers)];
    char *saved = terminfo_point_at(terminfo->database);
    struct screen *screen;

    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
        (void)sigaction(numbers[i], NULL, &actions[i]);
    use_env(FALSE); /* the size is set explicitly: neither LINES and COLUMNS nor its file have it */
    screen = newterm(terminfo_name(terminfo->entry), file, file);
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
        (void)sigaction(numbers[i], &actions[i], NULL);
    terminfo_restore(saved);
    return screen;
}

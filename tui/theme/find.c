/* SPDX-License-Identifier: Apache-2.0 */
/* Theme folders, and the themes in them. */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "platform/program.h"
#include "theme/theme.h"

enum { FOLDERS_MAX = 5 };

struct folders {
    char *paths[FOLDERS_MAX];
    size_t count;
};

static void find_add_folder(struct folders *folders, char *path)
{
    folders->paths[folders->count++] = path;
}

/* The theme folders, the user's first. */
static void find_folders(struct folders *folders)
{
    const char *given = getenv("GLASSBELL_THEMES"), *config = getenv("XDG_CONFIG_HOME");
    const char *home = getenv("HOME");
    _cleanup_(freep) char *program = gb_program_folder();

    if (given != NULL && given[0] != '\0')
        find_add_folder(folders, xstrdup(given));
    if (config != NULL && config[0] == '/')
        find_add_folder(folders, xasprintf("%s/glassbell/themes", config));
    else if (home != NULL && home[0] == '/')
        find_add_folder(folders, xasprintf("%s/.config/glassbell/themes", home));
    if (program != NULL) {
        /* A build tree: the program is build/PRESET/PART/NAME. */
        _cleanup_(freep) char *cache = xasprintf("%s/../CMakeCache.txt", program);

        if (access(cache, F_OK) == 0)
            find_add_folder(folders, xasprintf("%s/../../../themes", program));
        find_add_folder(folders, xasprintf("%s/../share/glassbell/themes", program));
    }
    find_add_folder(folders, xstrdup(GB_DATADIR "/glassbell/themes"));
}

static void find_release_folders(struct folders *folders)
{
    for (size_t i = 0; i < folders->count; i++)
        free(folders->paths[i]);
}

static int find_read_theme_file(const char *name, struct theme_file *ret_file, struct gb_err *err)
{
    _cleanup_(find_release_folders) struct folders folders = {0};
    _cleanup_(gb_buf_release) struct gb_buf text = {0};
    int r = -GB_ENOTFOUND;

    if (name[0] == '\0' || name[0] == '.' || strchr(name, '/') != NULL ||
        strlen(name) >= THEME_NAME_MAX)
        return gb_err_set(err, GB_EINVALID, "a theme is called by its name, without a path");
    find_folders(&folders);
    for (size_t i = 0; r == -GB_ENOTFOUND && i < folders.count; i++) {
        _cleanup_(freep) char *path = xasprintf("%s/%s.theme", folders.paths[i], name);

        r = gb_fd_read_file(path, THEME_BYTES_MAX, &text, err);
    }
    if (r == -GB_ENOTFOUND)
        return gb_err_set(err, GB_ENOTFOUND, "there is no theme %s", name);
    if (r < 0)
        return r;
    r = theme_parse(gb_buf_bytes(&text), name, ret_file, err);
    return r < 0 ? gb_err_wrap(err, r, "theme %s", name) : 0;
}

int theme_load(const char *name, struct theme *ret_theme, struct gb_err *err)
{
    _cleanup_(freep) struct theme_file *files = xcalloc(THEME_INHERIT_MAX, sizeof(*files));
    char next[THEME_NAME_MAX];
    size_t count = 0;
    int r;

    (void)snprintf(next, sizeof(next), "%s", name);
    do {
        if (count == THEME_INHERIT_MAX)
            return gb_err_set(err, GB_EINVALID, "theme %s inherits from too many others", name);
        r = find_read_theme_file(next, &files[count], err);
        if (r < 0)
            return r;
        (void)snprintf(next, sizeof(next), "%s", files[count].inherit);
        count++;
    } while (next[0] != '\0');
    r = theme_resolve(files, count, ret_theme, err);
    if (r < 0)
        return gb_err_wrap(err, r, "theme %s", name);
    /* The user knows it by the requested name. */
    (void)snprintf(ret_theme->name, sizeof(ret_theme->name), "%s", name);
    return 0;
}

static int find_compare_names(const void *a, const void *b)
{
    return strcmp(a, b);
}

static size_t find_list_folder(const char *path, char names[][THEME_NAME_MAX], size_t count)
{
    DIR *folder = opendir(path);
    struct dirent *entry;

    if (folder == NULL)
        return count;
    while (count < THEME_LIST_MAX && (entry = readdir(folder)) != NULL) {
        size_t size = strlen(entry->d_name);
        bool known = false;

        if (size <= 6 || size - 6 >= THEME_NAME_MAX || entry->d_name[0] == '.' ||
            strcmp(entry->d_name + size - 6, ".theme") != 0)
            continue;
        (void)snprintf(names[count], THEME_NAME_MAX, "%.*s", (int)(size - 6), entry->d_name);
        for (size_t i = 0; i < count; i++)
            known = known || strcmp(names[i], names[count]) == 0;
        count += !known;
    }
    (void)closedir(folder);
    return count;
}

size_t theme_list(char names[THEME_LIST_MAX][THEME_NAME_MAX])
{
    _cleanup_(find_release_folders) struct folders folders = {0};
    size_t count = 0;

    find_folders(&folders);
    for (size_t i = 0; i < folders.count; i++)
        count = find_list_folder(folders.paths[i], names, count);
    qsort(names, count, THEME_NAME_MAX, find_compare_names);
    return count;
}

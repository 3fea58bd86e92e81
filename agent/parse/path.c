/* SPDX-License-Identifier: Apache-2.0 */
#include "parse/path.h"

#include <stdbool.h>
#include <string.h>

static bool names_fit(const char *text)
{
    for (const char *name = text; *name != '\0';) {
        size_t size = strcspn(name, "/");

        if (size > GB_FILE_NAME_MAX)
            return false;
        name += size;
        name += strspn(name, "/");
    }
    return true;
}

/* Whether there are more ".." than names before them. */
static bool climbs_out(const char *text)
{
    int depth = 0;

    for (const char *name = text; *name != '\0' && depth >= 0;) {
        size_t size = strcspn(name, "/");

        if (size == 2 && strncmp(name, "..", 2) == 0)
            depth--;
        else if (size > 0 && !(size == 1 && *name == '.'))
            depth++;
        name += size;
        name += strspn(name, "/");
    }
    return depth < 0;
}

int path_parse(struct gb_bytes input, const char *home, struct path *ret_path, struct gb_err *err)
{
    const char *at = ret_path->text;
    size_t size = strlen(home);

    if (input.size == 0)
        return gb_err_set(err, GB_EINVALID, "the path is empty");
    if (input.size > GB_PATH_MAX)
        return gb_err_set(err, GB_ETOOLARGE, "the path is longer than %u bytes", GB_PATH_MAX);
    if (memchr(input.data, '\0', input.size) != NULL)
        return gb_err_set(err, GB_EPOLICY, "the path contains a NUL");
    memcpy(ret_path->text, input.data, input.size);
    ret_path->text[input.size] = '\0';
    if (*at == '/') {
        if (strncmp(at, home, size) != 0 || (at[size] != '/' && at[size] != '\0'))
            return gb_err_set(err, GB_EPOLICY, "the path is not below %s", home);
        at += size;
        at += strspn(at, "/");
    }
    size = strlen(at);
    memmove(ret_path->text, at, size + 1);
    if (size == 0) {
        memcpy(ret_path->text, ".", 2);
        size = 1;
    }
    ret_path->size = size;
    if (climbs_out(ret_path->text))
        return gb_err_set(err, GB_EPOLICY, "the path leads out of %s", home);
    if (!names_fit(ret_path->text))
        return gb_err_set(err, GB_ETOOLARGE, "a name in the path is longer than %u bytes",
                          GB_FILE_NAME_MAX);
    return 0;
}

const char *path_split(struct path *path)
{
    char *slash = strrchr(path->text, '/');
    char *name = slash == NULL ? path->text : slash + 1;
    size_t size = strlen(name);

    if (size == 0 || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return NULL;
    if (slash == NULL) {
        /* A single name: its folder is the home. */
        memmove(path->text + 2, path->text, size + 1);
        memcpy(path->text, ".", 2);
        path->size = 1;
        return path->text + 2;
    }
    *slash = '\0';
    path->size = (size_t)(slash - path->text);
    return name;
}

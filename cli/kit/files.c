/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/files.h"

#include <errno.h>
#include <fts.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "cli/app.h"
#include "kit/transfer.h"

enum { FILE_LIST_MAX = 10000 };

void file_list_release(struct file_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free((char *)(uintptr_t)list->pairs[i].local);
        free((char *)(uintptr_t)list->pairs[i].remote);
    }
    free(list->pairs);
    *list = (struct file_list){0};
}

/* Takes both. */
static void files_add_pair(struct file_list *list, char *local, char *remote)
{
    if (list->count == list->capacity) {
        size_t capacity = MAX(list->capacity * 2, (size_t)16);
        struct file_pair *pairs = xcalloc(capacity, sizeof(*pairs));

        if (list->count > 0)
            memcpy(pairs, list->pairs, list->count * sizeof(*pairs));
        free(list->pairs);
        list->pairs = pairs;
        list->capacity = capacity;
    }
    list->pairs[list->count++] = (struct file_pair){local, remote};
}

static int files_add_folder(struct file_list *list, const char *local, const char *remote,
                            struct gb_err *err)
{
    char *paths[] = {(char *)(uintptr_t)local, NULL};
    FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    FTSENT *entry;
    size_t skip = strlen(local), left_behind = 0;
    int r = 0;

    if (tree == NULL)
        return gb_err_sys(err, errno, "cannot read the folder %s", local);
    while (skip > 1 && local[skip - 1] == '/')
        skip--;
    while (r == 0 && (entry = fts_read(tree)) != NULL) {
        if (entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR || entry->fts_info == FTS_NS)
            r = gb_err_sys(err, entry->fts_errno, "cannot read %s", entry->fts_path);
        else if (entry->fts_info == FTS_F && list->count >= FILE_LIST_MAX)
            r = gb_err_set(err, GB_ETOOLARGE,
                           "%s has more than %d files: pack them into one, and unpack it inside",
                           local, FILE_LIST_MAX);
        else if (entry->fts_info == FTS_F)
            files_add_pair(list, xstrdup(entry->fts_path),
                           xasprintf("%s%s", remote, entry->fts_path + skip));
        else if (entry->fts_info == FTS_SL || entry->fts_info == FTS_SLNONE ||
                 entry->fts_info == FTS_DEFAULT)
            left_behind++;
    }
    (void)fts_close(tree);
    if (r == 0 && left_behind > 0)
        app_say(left_behind == 1 ? "%zu symbolic link or special file below %s was left behind"
                                 : "%zu symbolic links or special files below %s were left behind",
                left_behind, local);
    return r;
}

bool file_list_add(struct file_list *list, const char *local, const char *remote,
                   struct gb_err *err)
{
    _cleanup_(freep) char *name = NULL;
    struct stat st;

    if (stat(local, &st) < 0) {
        (void)gb_err_sys(err, errno, "cannot read %s", local);
        return false;
    }
    if (remote == NULL) {
        remote = name = transfer_local_name(local);
        if (name == NULL && S_ISDIR(st.st_mode))
            remote = "."; /* the contents of `.` or `..` go into the home */
    }
    if (remote == NULL) {
        (void)gb_err_set(err, GB_EINVALID, "no file name in the session can be derived from %s",
                         local);
        return false;
    }
    if (S_ISDIR(st.st_mode))
        return files_add_folder(list, local, remote, err) == 0;
    /* Into a folder, like cp, if the name ends with a slash. */
    if (remote[strlen(remote) - 1] == '/') {
        _cleanup_(freep) char *last = transfer_local_name(local);

        files_add_pair(list, xstrdup(local),
                       xasprintf("%s%s", remote, last != NULL ? last : "file"));
        return true;
    }
    files_add_pair(list, xstrdup(local), xstrdup(remote));
    return true;
}

bool file_list_uploads(const struct args *args, struct file_list *list)
{
    struct gb_err err = {0};
    const char *text;
    size_t at = 0;

    while ((text = args_next(args, "upload", &at)) != NULL) {
        const char *colon = strrchr(text, ':');
        _cleanup_(freep) char *local = NULL;
        const char *remote = colon != NULL && colon[1] != '\0' ? colon + 1 : NULL;

        local = colon != NULL ? xstrndup(text, (size_t)(colon - text)) : xstrdup(text);
        if (!file_list_add(list, local, remote, &err)) {
            app_say_err(&err);
            return false;
        }
    }
    return true;
}

bool file_list_downloads(const struct args *args, size_t sources, struct file_list *list)
{
    const char *text;
    size_t at = 0;

    while ((text = args_next(args, "download", &at)) != NULL) {
        const char *colon = strchr(text, ':');
        char *remote = colon != NULL ? xstrndup(text, (size_t)(colon - text)) : xstrdup(text);
        char *local = colon != NULL && colon[1] != '\0' ? file_into_folder(colon + 1, remote)
                                                        : transfer_local_name(remote);

        files_add_pair(list, local, remote);
        if (local == NULL) {
            app_say("no local file name can be derived from %s; give one: --download %s:NAME",
                    remote, remote);
            return false;
        }
    }
    if (list->count > 0 && sources > 1) {
        app_say("--download with several sources would write the same file several times");
        return false;
    }
    return true;
}

char *file_into_folder(const char *local, const char *remote)
{
    _cleanup_(freep) char *name = NULL;
    size_t size = strlen(local);
    struct stat st;

    if (!(stat(local, &st) == 0 && S_ISDIR(st.st_mode)) && (size == 0 || local[size - 1] != '/'))
        return xstrdup(local);
    name = transfer_local_name(remote);
    /* The contents of `.` go into the folder itself. */
    return name != NULL ? xasprintf("%s/%s", local, name) : xstrdup(local);
}

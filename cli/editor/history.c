/* SPDX-License-Identifier: Apache-2.0 */
#include "editor/history.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* readline's headers need stdio's first. */
#include <readline/history.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/paths.h"

/* Starts the time stamp lines between entries: no line of code starts with it, so multi-line
 * entries are restored intact. */
enum { HISTORY_MARK = '\001' };

char *history_file_path(const char *language)
{
    _cleanup_(freep) char *folder = gb_path_home_state();

    for (const char *c = language; *c != '\0'; c++)
        if ((*c < 'a' || *c > 'z') && (*c < '0' || *c > '9'))
            return NULL; /* a name from a foreign image: not a path component */
    if (language[0] == '\0')
        return NULL;
    if (folder == NULL || gb_fd_make_dirs(folder, 0700, NULL) < 0)
        return NULL;
    return xasprintf("%s/history-%s", folder, language);
}

void history_file_read(const char *path)
{
    int fd;

    using_history();
    stifle_history(HISTORY_ENTRIES_MAX);
    history_comment_char = HISTORY_MARK;
    history_write_timestamps = 1;
    if (path == NULL)
        return;
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return;
    if (lseek(fd, 0, SEEK_END) <= HISTORY_FILE_MAX)
        (void)read_history(path); /* without one the history is empty */
    (void)gb_close(fd);
    using_history();
}

void history_file_add(const char *path, const char *text)
{
    HIST_ENTRY *last = history_length > 0 ? history_get(history_base + history_length - 1) : NULL;

    if (last != NULL && strcmp(last->line, text) == 0)
        return;
    add_history(text);
    if (path != NULL)
        (void)append_history(1, path); /* nobody can be told */
}

void history_file_tidy(const char *path)
{
    if (path != NULL)
        (void)history_truncate_file(path, HISTORY_ENTRIES_MAX * 4);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The history of command lines on disk: a text file to which each line is appended in a single
 * write, so that several front ends can share it. It is shortened when it is read. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/internal.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/paths.h"

enum { FILE_MAX = 256 << 10, TIDY_ABOVE = 32 << 10 };

static char *lines_file_path(void)
{
    _cleanup_(freep) char *folder = gb_path_home_state();

    if (folder == NULL || gb_fd_make_dirs(folder, 0700, NULL) < 0)
        return NULL;
    return xasprintf("%s/commands", folder);
}

/* Whether somebody could have typed it. */
static bool lines_is_plain(struct gb_bytes line)
{
    bool plain = line.size > 0 && line.size < COMMAND_LINE_MAX;

    for (size_t i = 0; i < line.size; i++)
        plain &= line.data[i] >= 0x20 && line.data[i] != 0x7f;
    return plain;
}

static void lines_read_lines(struct line_history *history, struct gb_bytes text)
{
    while (text.size > 0) {
        const uint8_t *end = memchr(text.data, '\n', text.size);
        size_t size = end != NULL ? (size_t)(end - text.data) : text.size;
        struct gb_bytes line = {text.data, size};

        if (lines_is_plain(line)) {
            _cleanup_(freep) char *copy = xstrndup((const char *)line.data, line.size);

            history_add(history, copy);
        }
        size = MIN(size + 1, text.size);
        text.data += size;
        text.size -= size;
    }
}

char *lines_open(struct line_history *history)
{
    char *path = lines_file_path();
    struct gb_buf text = {0};

    if (path != NULL && gb_fd_read_file(path, FILE_MAX, &text, NULL) == 0)
        lines_read_lines(history, gb_buf_bytes(&text));
    if (text.size > TIDY_ABOVE) {
        gb_buf_clear(&text);
        for (size_t i = 0; i < history->count; i++)
            gb_buf_addf(&text, "%s\n", history->lines[i]);
        (void)gb_fd_replace_file(path, gb_buf_bytes(&text), 0600, NULL);
    }
    gb_buf_release(&text);
    return path;
}

void lines_add(const char *path, const char *line)
{
    struct gb_buf text = {0};
    int fd = path != NULL && line[0] != '\0'
                 ? open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)
                 : -1;

    if (fd < 0)
        return; /* they are only kept in memory */
    gb_buf_addf(&text, "%s\n", line);
    (void)!write(fd, gb_buf_data(&text), text.size);
    (void)gb_close(fd);
    gb_buf_release(&text);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "editor/history.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
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

/* ---- how they ended ---- */

/* FNV-1a: which text a line of the file is about. */
static uint64_t history_hash(struct gb_bytes text)
{
    uint64_t hash = 0xcbf29ce484222325;

    for (size_t i = 0; i < text.size; i++)
        hash = (hash ^ text.data[i]) * 0x100000001b3;
    return hash;
}

/* The newest are kept. */
static void history_keep(struct history_ends *ends, uint64_t hash, struct gb_bytes verdict)
{
    struct history_end *end;
    size_t size = 0;

    if (ends->list == NULL)
        ends->list = xcalloc(HISTORY_ENTRIES_MAX, sizeof(*ends->list));
    if (ends->count == HISTORY_ENTRIES_MAX) {
        ends->count /= 2;
        memmove(ends->list, ends->list + (HISTORY_ENTRIES_MAX - ends->count),
                ends->count * sizeof(*ends->list));
    }
    end = &ends->list[ends->count++];
    *end = (struct history_end){.hash = hash};
    for (size_t i = 0; i < verdict.size && size + 1 < sizeof(end->verdict); i++)
        if (verdict.data[i] >= ' ' && verdict.data[i] <= '~')
            end->verdict[size++] = (char)verdict.data[i];
}

/* MARK HASH=VERDICT */
static void history_read_end(struct history_ends *ends, struct gb_bytes line)
{
    uint64_t hash;

    if (line.size == 0 || line.data[0] != HISTORY_MARK)
        return;
    line.data++;
    line.size--;
    if (gb_bytes_number(&line, UINT64_MAX, &hash) && line.size > 1 && line.data[0] == '=')
        history_keep(ends, hash, (struct gb_bytes){line.data + 1, line.size - 1});
}

static void history_read_ends(struct history_ends *ends, const char *path)
{
    struct gb_buf text = {0};
    struct gb_bytes rest, line;

    if (gb_fd_read_file(path, HISTORY_FILE_MAX, &text, NULL) == 0) {
        rest = gb_buf_bytes(&text);
        while (gb_bytes_line(&rest, &line))
            history_read_end(ends, line);
    }
    gb_buf_release(&text);
}

void history_file_tell(struct history_ends *ends, const char *path, struct gb_bytes text,
                       const char *verdict)
{
    struct gb_buf line = {0};
    int fd;

    history_keep(ends, history_hash(text), gb_bytes_str(verdict));
    fd = path != NULL ? open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW) : -1;
    if (fd < 0)
        return;
    gb_buf_addf(&line, "%c%" PRIu64 "=%s\n", HISTORY_MARK, ends->list[ends->count - 1].hash,
                ends->list[ends->count - 1].verdict);
    (void)gb_fd_write_full(fd, gb_buf_data(&line), line.size); /* nobody can be told */
    gb_buf_release(&line);
    (void)gb_close(fd);
}

const char *history_verdict(const struct history_ends *ends, const char *text)
{
    const uint64_t hash = history_hash(gb_bytes_str(text));

    for (size_t i = ends->count; i > 0; i--)
        if (ends->list[i - 1].hash == hash)
            return ends->list[i - 1].verdict;
    return NULL;
}

void history_ends_release(struct history_ends *ends)
{
    free(ends->list);
    *ends = (struct history_ends){0};
}

/* ---- the file ---- */

void history_file_read(const char *path, struct history_ends *ends)
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
    if (lseek(fd, 0, SEEK_END) <= HISTORY_FILE_MAX) {
        (void)read_history(path); /* without one the history is empty */
        history_read_ends(ends, path);
    }
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

/* SPDX-License-Identifier: Apache-2.0 */
/* Adds a line to a settings file, of which everything else stays as it is. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "settings/internal.h"

/* The network with this name in the content of a file; NULL: there is none, or @err is set. */
static const struct gb_settings_text *amend_find(struct gb_settings *settings, const char *path,
                                                 struct gb_bytes text, const char *name,
                                                 struct gb_err *err)
{
    if (gb_settings_parse(settings, path, text, err) < 0)
        return NULL;
    for (size_t i = 0; i < settings->networks.count; i++)
        if (strcmp(settings->networks.list[i].name, name) == 0)
            return &settings->networks.list[i];
    (void)gb_err_set(err, GB_ENOTFOUND, "%s has no [network \"%s\"]", path, name);
    return NULL;
}

/* Copies @text with @line behind its first @count lines. */
static void amend_insert(struct gb_buf *to, struct gb_bytes text, unsigned count,
                         struct gb_bytes line)
{
    size_t at = 0;

    for (unsigned i = 0; i < count && at < text.size; i++) {
        const uint8_t *end = memchr(text.data + at, '\n', text.size - at);

        at = end == NULL ? text.size : (size_t)(end - text.data) + 1;
    }
    gb_buf_add(to, text.data, at);
    if (at > 0 && text.data[at - 1] != '\n')
        gb_buf_adds(to, "\n");
    gb_buf_add(to, line.data, line.size);
    gb_buf_adds(to, "\n");
    gb_buf_add(to, text.data + at, text.size - at);
}

static int amend_text(const char *path, const char *name, struct gb_bytes line,
                      struct gb_bytes before, struct gb_buf *after, char **ret_text,
                      struct gb_err *err)
{
    struct gb_settings old, new;
    const struct gb_settings_text *network;

    gb_settings_init(&old);
    gb_settings_init(&new);
    network = amend_find(&old, path, before, name, err);
    if (network != NULL) {
        amend_insert(after, before, network->line, line);
        network = amend_find(&new, path, gb_buf_bytes(after), name, err);
    }
    if (network != NULL)
        *ret_text = xstrdup(network->text);
    gb_settings_release(&old);
    gb_settings_release(&new);
    return network == NULL ? -(int)err->code : 0;
}

/* Of an absolute path. */
static size_t amend_folder_size(const char *file)
{
    const char *slash = strrchr(file, '/');

    return slash == NULL || slash == file ? 1 : (size_t)(slash - file);
}

/* The folder of @file, which no other server writes into meanwhile: a lock of the file itself would
 * go with it when it is replaced. Gives a descriptor. */
static int amend_lock(const char *file, struct gb_err *err)
{
    _cleanup_(freep) char *folder = xstrndup(file, amend_folder_size(file));
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return gb_err_sys(err, errno, "the folder of %s", file);
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return fd;
    if (errno == EWOULDBLOCK)
        (void)gb_err_set(err, GB_EBUSY, "another process is writing %s: try again", file);
    else
        (void)gb_err_sys(err, errno, "the folder of %s cannot be locked", file);
    (void)gb_close(fd);
    return -(int)err->code;
}

/* Editors take no lock. */
static int amend_check_same(const char *file, struct gb_bytes before, struct gb_err *err)
{
    _cleanup_(gb_buf_release) struct gb_buf now = {0};
    int r = gb_fd_read_file(file, GB_SETTINGS_FILE_MAX, &now, err);

    if (r < 0)
        return r;
    if (now.size == before.size &&
        (now.size == 0 || memcmp(gb_buf_data(&now), before.data, now.size) == 0))
        return 0;
    return gb_err_set(err, GB_EBUSY, "%s was changed at the same time: try again", file);
}

int gb_settings_add_rule(const char *path, const char *name, struct gb_bytes line, char **ret_text,
                         struct gb_err *err)
{
    _cleanup_(freep) char *file = realpath(path, NULL); /* it may be a link to the real one */
    _cleanup_(gb_buf_release) struct gb_buf before = {0}, after = {0};
    _cleanup_(freep) char *text = NULL;
    _cleanup_(closep) int folder = -1;
    struct stat status;
    int r;

    if (file == NULL)
        return gb_err_sys(err, errno, "%s", path);
    folder = amend_lock(file, err);
    if (folder < 0)
        return folder;
    if (stat(file, &status) < 0)
        return gb_err_sys(err, errno, "%s", path);
    if (status.st_uid != geteuid())
        return gb_err_set(err, GB_EPOLICY, "%s belongs to another user", path);
    r = gb_fd_read_file(file, GB_SETTINGS_FILE_MAX, &before, err);
    if (r == 0)
        r = amend_text(path, name, line, gb_buf_bytes(&before), &after, &text, err);
    if (r == 0)
        r = amend_check_same(file, gb_buf_bytes(&before), err);
    if (r == 0)
        r = gb_fd_replace_file(file, gb_buf_bytes(&after), status.st_mode & 07777, err);
    if (r < 0)
        return r;
    (void)chmod(file, status.st_mode & 07777); /* what the umask has taken away */
    if (fsync(folder) < 0 && errno != EINVAL)  /* not every file system can do that with folders */
        return gb_err_sys(err, errno, "%s may not last", path);
    *ret_text = TAKE_PTR(text);
    return 0;
}

void gb_settings_set_network(struct gb_settings *settings, const char *name, const char *text)
{
    for (size_t i = 0; i < settings->networks.count; i++) {
        if (strcmp(settings->networks.list[i].name, name) != 0)
            continue;
        free(settings->networks.list[i].text);
        settings->networks.list[i].text = xstrdup(text);
    }
}

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

/* ---- lock ---- */

/* What keeps other servers out: a file beside @file, which nobody but its owner can open. A lock of
 * the file itself would go with it when it is replaced, and one of the folder can be held by
 * everybody who can read that. It is removed with the lock. */
struct amend_lock {
    char *path;
    int fd;
};

static void amend_unlock(struct amend_lock *lock)
{
    if (lock->fd >= 0)
        (void)unlink(lock->path); /* while nobody else has it */
    lock->fd = gb_close(lock->fd);
    free(TAKE_PTR(lock->path));
}

/* Whether the file that is locked is still the one that others would lock. */
static bool amend_is_locked(const struct amend_lock *lock, struct stat *ret_info)
{
    struct stat there;

    return fstat(lock->fd, ret_info) == 0 && lstat(lock->path, &there) == 0 &&
           ret_info->st_dev == there.st_dev && ret_info->st_ino == there.st_ino;
}

static int amend_check_lock(const struct amend_lock *lock, const char *file, struct gb_err *err)
{
    const bool taken = flock(lock->fd, LOCK_EX | LOCK_NB) == 0;
    struct stat info = {0};

    if (!taken && errno != EWOULDBLOCK)
        return gb_err_sys(err, errno, "cannot lock %s", lock->path);
    if (!taken || !amend_is_locked(lock, &info))
        return gb_err_set(err, GB_EBUSY, "another process is writing %s: try again", file);
    if (!S_ISREG(info.st_mode) || info.st_uid != geteuid() || (info.st_mode & 077) != 0)
        return gb_err_set(err, GB_EPOLICY, "%s is no lock that only its owner can hold",
                          lock->path);
    return 0;
}

static int amend_lock(struct amend_lock *lock, const char *file, struct gb_err *err)
{
    int r;

    lock->path = xasprintf("%s.lock", file);
    lock->fd =
        open(lock->path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);
    if (lock->fd < 0)
        r = gb_err_sys(err, errno, "cannot open the lock %s", lock->path);
    else
        r = amend_check_lock(lock, file, err);
    if (r < 0) { /* it is another one's, and stays */
        lock->fd = gb_close(lock->fd);
        free(TAKE_PTR(lock->path));
    }
    return r;
}

/* ---- writing ---- */

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

/* Of an absolute path. */
static size_t amend_folder_size(const char *file)
{
    const char *slash = strrchr(file, '/');

    return slash == NULL || slash == file ? 1 : (size_t)(slash - file);
}

/* What has happened in its folder survives a power cut. */
static int amend_sync_folder(const char *file, struct gb_err *err)
{
    _cleanup_(freep) char *folder = xstrndup(file, amend_folder_size(file));
    _cleanup_(closep) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd >= 0 && (fsync(fd) == 0 || errno == EINVAL)) /* some file systems cannot do that */
        return 0;
    return gb_err_sys(err, errno, "%s may not last", file);
}

static int amend_locked(const char *file, const char *name, struct gb_bytes line, char **ret_text,
                        struct gb_err *err)
{
    _cleanup_(gb_buf_release) struct gb_buf before = {0}, after = {0};
    _cleanup_(freep) char *text = NULL;
    struct stat status;
    int r;

    if (stat(file, &status) < 0)
        return gb_err_sys(err, errno, "%s", file);
    if (status.st_uid != geteuid())
        return gb_err_set(err, GB_EPOLICY, "%s belongs to another user", file);
    r = gb_fd_read_file(file, GB_SETTINGS_FILE_MAX, &before, err);
    if (r == 0)
        r = amend_text(file, name, line, gb_buf_bytes(&before), &after, &text, err);
    if (r == 0)
        r = amend_check_same(file, gb_buf_bytes(&before), err);
    if (r == 0)
        r = gb_fd_replace_file(file, gb_buf_bytes(&after), status.st_mode & 07777, err);
    if (r < 0)
        return r;
    (void)chmod(file, status.st_mode & 07777); /* what the umask has taken away */
    *ret_text = TAKE_PTR(text);
    return amend_sync_folder(file, err);
}

int gb_settings_add_rule(const char *path, const char *name, struct gb_bytes line, char **ret_text,
                         struct gb_err *err)
{
    _cleanup_(freep) char *file = realpath(path, NULL); /* it may be a link to the real one */
    struct amend_lock lock;
    int r;

    if (file == NULL)
        return gb_err_sys(err, errno, "%s", path);
    r = amend_lock(&lock, file, err);
    if (r < 0)
        return r;
    r = amend_locked(file, name, line, ret_text, err);
    amend_unlock(&lock);
    return r;
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

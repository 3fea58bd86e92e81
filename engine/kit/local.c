/* SPDX-License-Identifier: Apache-2.0 */
#include "kit/local.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "platform/file.h"
#include "platform/random.h"
#include "platform/socket.h"

enum { LINKS_MAX = 40, COPY = 1 << 20, TRIES = 100 };

enum way {
    WAY_STREAM,  /* bytes are written to it immediately */
    WAY_REPLACE, /* a file, unnamed or next to it, replaces what exists */
    WAY_INTO,    /* a file elsewhere, whose content is copied into what exists */
};

struct local {
    enum way way;
    int fd;
    char *given;        /* the name in messages */
    char *path;         /* the path with links resolved */
    char *beside;       /* the new file's name; NULL: it has none yet */
    bool replaces;      /* a file exists already */
    struct stat status; /* its status */
    uint64_t size;      /* bytes written so far */
};

/* ---- what may wait ---- */

static const int wait_signals[] = {SIGINT, SIGTERM};

void local_wait_begin(struct local_wait *wait)
{
    const struct sigaction standard = {.sa_handler = SIG_DFL};

    static_assert(ARRAY_SIZE(wait_signals) == ARRAY_SIZE(wait->before), "one for each signal");
    for (size_t i = 0; i < ARRAY_SIZE(wait_signals); i++)
        if (sigaction(wait_signals[i], NULL, &wait->before[i]) == 0 &&
            wait->before[i].sa_handler != SIG_IGN)
            (void)sigaction(wait_signals[i], &standard, NULL);
}

void local_wait_end(const struct local_wait *wait)
{
    for (size_t i = 0; i < ARRAY_SIZE(wait_signals); i++)
        (void)sigaction(wait_signals[i], &wait->before[i], NULL);
}

static int local_open_and_wait(const char *path, int flags)
{
    struct local_wait wait;
    int fd;

    local_wait_begin(&wait);
    fd = open(path, flags | O_CLOEXEC | O_NOCTTY);
    fd = fd < 0 ? -errno : fd;
    local_wait_end(&wait);
    return fd;
}

/* ---- where a path leads ---- */

/* The resolved folder and the last component of @path; NULL if the folder does not exist. Gives. */
static char *local_real_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    _cleanup_(freep) char *folder =
        slash == NULL ? xstrdup(".") : xstrndup(path, (size_t)(slash - path + (slash == path)));

    return realpath(folder, NULL);
}

static const char *local_last_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash == NULL ? path : slash + 1;
}

/* Follows the links of @path until it names something that is not a link, or a link that only the
 * kernel can follow, or one of our descriptors. 0 with *@ret_path (gives) or *@ret_fd >= 0; or
 * -errno. */
static int local_follow(const char *path, char **ret_path, int *ret_fd)
{
    _cleanup_(freep) char *at = xstrdup(path);

    *ret_fd = -1;
    for (int links = 0; links < LINKS_MAX; links++) {
        _cleanup_(freep) char *folder = local_real_folder(at);
        char target[PATH_MAX];
        char *next;
        ssize_t n;

        if (folder == NULL)
            return -errno;
        *ret_fd = gb_file_own_descriptor(folder, local_last_name(at));
        if (*ret_fd >= 0)
            return 0;
        n = gb_file_kernel_links(folder) ? -1 : readlink(at, target, sizeof(target) - 1);
        if (n < 0) {
            *ret_path = TAKE_PTR(at);
            return 0;
        }
        target[n] = '\0';
        next = target[0] == '/' ? xstrdup(target) : xasprintf("%s/%s", folder, target);
        free(at);
        at = next;
    }
    return -ELOOP;
}

bool local_is_stream(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode);
}

int local_open_input(const char *path, struct gb_err *err)
{
    _cleanup_(freep) char *end = NULL;
    int own = -1, r = local_follow(path, &end, &own);

    if (r == 0)
        r = own >= 0 ? fcntl(own, F_DUPFD_CLOEXEC, 3) : local_open_and_wait(path, O_RDONLY);
    if (own >= 0 && r < 0)
        r = -errno;
    return r < 0 ? gb_err_sys(err, -r, "cannot read %s", path) : r;
}

/* ---- opening ---- */

static int local_connect_socket(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = gb_socket_new(SOCK_STREAM, false);

    if (fd < 0)
        return fd;
    if (strlen(path) >= sizeof(address.sun_path))
        errno = ENAMETOOLONG;
    else
        memcpy(address.sun_path, path, strlen(path));
    if (address.sun_path[0] == '\0' ||
        connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
        int why = errno;

        (void)gb_close(fd);
        return -why;
    }
    return fd;
}

static char *local_name_beside(const struct local *local)
{
    const char *name = local_last_name(local->path);

    return xasprintf("%.*s.%.200s.XXXXXX", (int)(name - local->path), local->path, name);
}

/* Creates a file in the folder of the one to be replaced, if possible without a name, so that a
 * killed process leaves nothing behind. */
static int local_open_beside(struct local *local)
{
    _cleanup_(freep) char *folder = local_real_folder(local->path);
    int fd = folder == NULL ? -1 : gb_file_unnamed(folder);

    if (fd >= 0)
        return fd;
    local->beside = local_name_beside(local);
    fd = mkostemp(local->beside, O_CLOEXEC);
    if (fd >= 0)
        return fd;
    fd = -errno;
    free(TAKE_PTR(local->beside));
    return fd;
}

static int local_open_elsewhere(void)
{
    const char *folder = getenv("TMPDIR");
    _cleanup_(freep) char *name = NULL;
    int fd;

    if (folder == NULL || folder[0] != '/')
        folder = "/tmp";
    name = xasprintf("%s/glassbell.XXXXXX", folder);
    fd = mkostemp(name, O_CLOEXEC);
    if (fd < 0)
        return -errno;
    (void)unlink(name);
    return fd;
}

/* Gives the new file the attributes of the one that it replaces. False: not possible. */
static bool local_make_alike(const struct local *local)
{
    struct stat now;

    if (fstat(local->fd, &now) < 0)
        return false;
    if ((now.st_uid != local->status.st_uid || now.st_gid != local->status.st_gid) &&
        fchown(local->fd, local->status.st_uid, local->status.st_gid) < 0)
        return false;
    return fchmod(local->fd, local->status.st_mode & 07777) == 0;
}

static void local_make_new(const struct local *local)
{
    mode_t mask = umask(022);

    (void)umask(mask);
    (void)fchmod(local->fd, 0666 & ~mask); /* if it cannot be changed, it stays private */
}

static int local_open_file(struct local *local)
{
    bool several = local->replaces && local->status.st_nlink > 1;

    if (local->replaces && access(local->path, W_OK) < 0)
        return -errno;
    local->way = WAY_REPLACE;
    local->fd = several ? -EMLINK : local_open_beside(local);
    if (local->fd >= 0 && local->replaces && !local_make_alike(local)) {
        if (local->beside != NULL)
            (void)unlink(local->beside);
        free(TAKE_PTR(local->beside));
        (void)gb_close(local->fd);
        local->fd = -EPERM;
    }
    if (local->fd >= 0 && !local->replaces)
        local_make_new(local);
    if (local->fd < 0 && local->replaces) {
        local->way = WAY_INTO;
        local->fd = local_open_elsewhere();
    }
    return local->fd < 0 ? local->fd : 0;
}

static int local_open_stream(struct local *local)
{
    local->way = WAY_STREAM;
    local->fd = S_ISSOCK(local->status.st_mode) ? local_connect_socket(local->path)
                                                : local_open_and_wait(local->path, O_WRONLY);
    return local->fd < 0 ? local->fd : 0;
}

static int local_open_place(struct local *local)
{
    int own, r = local_follow(local->given, &local->path, &own);

    if (r < 0)
        return r;
    if (own >= 0) {
        local->way = WAY_STREAM;
        local->fd = fcntl(own, F_DUPFD_CLOEXEC, 3);
        return local->fd < 0 ? -errno : 0;
    }
    if (stat(local->path, &local->status) < 0)
        return errno == ENOENT ? local_open_file(local) : -errno;
    if (S_ISDIR(local->status.st_mode))
        return -EISDIR;
    local->replaces = S_ISREG(local->status.st_mode);
    return local->replaces ? local_open_file(local) : local_open_stream(local);
}

struct local *local_open(const char *path, struct gb_err *err)
{
    struct local *local = xcalloc(1, sizeof(*local));
    int r;

    local->fd = -1;
    local->given = xstrdup(path);
    r = local_open_place(local);
    if (r == 0)
        return local;
    if (r == -EISDIR)
        (void)gb_err_set(err, GB_EINVALID, "%s is a folder", path);
    else
        (void)gb_err_sys(err, -r, "cannot write %s", path);
    local->fd = -1;
    local_cancel(local);
    return NULL;
}

void local_cancel(struct local *local)
{
    if (local == NULL)
        return;
    if (local->beside != NULL)
        (void)unlink(local->beside);
    (void)gb_close(local->fd);
    free(local->given);
    free(local->path);
    free(local->beside);
    free(local);
}

bool local_in_order(const struct local *local)
{
    return local->way == WAY_STREAM;
}

bool local_is_terminal(const struct local *local)
{
    return local->way == WAY_STREAM && isatty(local->fd) == 1;
}

/* ---- writing ---- */

/* Writes everything, even if another process has made the descriptor non-blocking. */
static int local_write_stream(int fd, struct gb_bytes bytes)
{
    struct local_wait wait;
    int r = 0;

    local_wait_begin(&wait);
    while (bytes.size > 0 && r == 0) {
        ssize_t n = write(fd, bytes.data, bytes.size);
        struct pollfd ready = {.fd = fd, .events = POLLOUT};

        if (n >= 0) {
            bytes.data += n;
            bytes.size -= (size_t)n;
        } else if (errno == EAGAIN) {
            (void)poll(&ready, 1, -1);
        } else if (errno != EINTR) {
            r = -errno;
        }
    }
    local_wait_end(&wait);
    return r;
}

static int local_write_file(int fd, struct gb_bytes bytes, uint64_t offset)
{
    while (bytes.size > 0) {
        ssize_t n = pwrite(fd, bytes.data, bytes.size, (off_t)offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        bytes.data += n;
        bytes.size -= (size_t)n;
        offset += (uint64_t)n;
    }
    return 0;
}

int local_write(struct local *local, uint64_t offset, struct gb_bytes bytes, struct gb_err *err)
{
    int r;

    if (local->way == WAY_STREAM && offset != local->size)
        return gb_err_set(err, GB_EINTERNAL, "%s: bytes out of order", local->given);
    r = local->way == WAY_STREAM ? local_write_stream(local->fd, bytes)
                                 : local_write_file(local->fd, bytes, offset);
    local->size = MAX(local->size, offset + bytes.size);
    return r < 0 ? gb_err_sys(err, -r, "cannot write %s", local->given) : 0;
}

/* Gives the new file a name next to the one that it replaces. */
static int local_name_it(struct local *local)
{
    int r;

    if (!local->replaces && gb_file_link(local->fd, local->path) == 0)
        return 0;
    for (int i = 0; i < TRIES && local->beside == NULL; i++) {
        char *name = local_name_beside(local);
        uint32_t random = 0;

        if (gb_random_fill(&random, sizeof(random)) < 0)
            random = (uint32_t)i;
        (void)snprintf(name + strlen(name) - 6, 7, "%06x", random & 0xffffff);
        r = gb_file_link(local->fd, name);
        if (r == 0) {
            local->beside = name;
            return 1;
        }
        free(name);
        if (r != -EEXIST)
            return r;
    }
    return 1;
}

/* Copies the complete data into the existing file. Reserves space first: until then, and if that
 * fails, the file is unchanged. */
static int local_write_into(const struct local *local)
{
    _cleanup_(freep) uint8_t *piece = xmalloc(COPY);
    _cleanup_(closep) int fd = open(local->path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    uint64_t at = 0;
    int r = 0;

    if (fd < 0)
        return -errno;
    if (local->size > 0)
        r = gb_file_reserve(fd, local->size);
    if (r == -EOPNOTSUPP || r == -ENOSYS || r == -EINVAL)
        r = 0;
    if (r < 0) {
        if (ftruncate(fd, local->status.st_size) < 0) /* releases the space */
            return -errno;
        return r;
    }
    while (r == 0 && at < local->size) {
        ssize_t n = pread(local->fd, piece, COPY, (off_t)at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -EIO;
        r = local_write_file(fd, (struct gb_bytes){piece, (size_t)n}, at);
        at += (uint64_t)n;
    }
    if (r == 0 && ftruncate(fd, (off_t)local->size) < 0)
        r = -errno;
    if (r == 0 && fsync(fd) < 0 && errno != EINVAL)
        r = -errno;
    return r;
}

static int local_replace(struct local *local)
{
    int r;

    if (fsync(local->fd) < 0 && errno != EINVAL)
        return -errno;
    r = local->beside != NULL ? 1 : local_name_it(local);
    if (r <= 0)
        return r;
    if (rename(local->beside, local->path) == 0) {
        free(TAKE_PTR(local->beside));
        return 0;
    }
    /* A mount point cannot be replaced. */
    return errno == EBUSY || errno == EXDEV ? local_write_into(local) : -errno;
}

int local_finish(struct local *local, struct gb_err *err)
{
    int r = local->way == WAY_REPLACE ? local_replace(local)
            : local->way == WAY_INTO  ? local_write_into(local)
                                      : 0;

    if (r == 0 && local->way == WAY_STREAM) {
        r = close(local->fd) < 0 && errno != EINTR ? -errno : 0;
        local->fd = -1;
    }
    if (r < 0)
        r = gb_err_sys(err, -r, "cannot write %s", local->given);
    local_cancel(local);
    return r;
}

int local_put(const char *path, struct gb_bytes bytes, struct gb_err *err)
{
    struct local *local = local_open(path, err);
    int r;

    if (local == NULL)
        return -GB_EINVALID;
    r = local_write(local, 0, bytes, err);
    if (r == 0)
        return local_finish(local, err);
    local_cancel(local);
    return r;
}

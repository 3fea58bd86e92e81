/* SPDX-License-Identifier: Apache-2.0 */
#include "home.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "init.h"

enum {
    RACES_MAX = 16,
    REMOVALS_MAX =
        400000,          /* so that a removal ends even if somebody else keeps filling the folder */
    REMOVAL_STEP = 1000, /* operations, each of some microseconds */
};

void home_as_user(bool on)
{
    const uid_t id = on ? USER_ID : 0;

    /* Group first: changing the user drops the capability to change the group. Both always succeed
     * for PID 1, and the return value says nothing. */
    if (!on)
        (void)setfsuid(id);
    (void)setfsgid(id);
    if (on)
        (void)setfsuid(id);
}

int home_open(int home_fd, const char *path, int flags, mode_t mode)
{
    struct open_how how = {
        .flags = (uint64_t)(unsigned)(flags | O_CLOEXEC),
        .mode = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE ? mode : 0,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };

    /* The kernel returns EAGAIN if a rename raced with a "..". */
    for (int i = 0; i < RACES_MAX; i++) {
        long fd = syscall(SYS_openat2, home_fd, path, &how, sizeof(how));

        if (fd >= 0)
            return (int)fd;
        if (errno != EAGAIN)
            return -errno;
    }
    return -EXDEV;
}

int home_open_parents(int home_fd, const char *path)
{
    char prefix[GB_PATH_MAX + 1];
    size_t size = 0;
    int fd = home_open(home_fd, path, O_PATH | O_DIRECTORY, 0);

    if (fd != -ENOENT)
        return fd;
    while (path[size] != '\0') {
        size += strspn(path + size, "/");
        size += strcspn(path + size, "/");
        (void)snprintf(prefix, sizeof(prefix), "%.*s", (int)size, path);
        fd = home_open(home_fd, prefix, O_PATH | O_DIRECTORY, 0);
        if (fd == -ENOENT) {
            char *slash = strrchr(prefix, '/');
            const char *name = slash == NULL ? prefix : slash + 1;
            _cleanup_(closep) int folder = -1;

            if (slash != NULL)
                *slash = '\0';
            folder = home_open(home_fd, slash == NULL ? "." : prefix, O_PATH | O_DIRECTORY, 0);
            if (folder < 0)
                return folder;
            if (mkdirat(folder, name, 0755) < 0 && errno != EEXIST)
                return -errno;
        } else if (fd < 0) {
            return fd;
        } else {
            (void)gb_close(fd);
        }
    }
    return home_open(home_fd, path, O_PATH | O_DIRECTORY, 0);
}

static DIR *open_folder(int at_fd, const char *name)
{
    int fd = openat(at_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *entries = fd < 0 ? NULL : fdopendir(fd);

    if (entries == NULL)
        (void)gb_close(fd);
    return entries;
}

static bool is_dot(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* Counts an operation. 0; -EAGAIN at the end of the step; -EBUSY. */
static int count_step(struct removal *removal)
{
    if (++removal->steps > REMOVALS_MAX)
        return -EBUSY;
    if (removal->allowed == 0)
        return -EAGAIN;
    removal->allowed--;
    return 0;
}

/* Moves a folder up, under a name that is not taken there. */
static int move_up(struct removal *removal, int at_fd, const char *name)
{
    char moved[32];
    int r;

    do {
        r = count_step(removal);
        if (r < 0)
            return r;
        (void)snprintf(moved, sizeof(moved), ".removed-%u", removal->moved++);
        if (renameat2(at_fd, name, removal->fd, moved, RENAME_NOREPLACE) == 0)
            return 0;
    } while (errno == EEXIST);
    return -errno;
}

/* Removes an entry, or moves a non-empty folder up. 0 or -errno. */
static int remove_or_move(struct removal *removal, int at_fd, const char *name)
{
    if (unlinkat(at_fd, name, 0) == 0 || errno == ENOENT)
        return 0;
    if (errno != EISDIR && errno != EPERM)
        return -errno;
    if (unlinkat(at_fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
        return 0;
    if (errno != ENOTEMPTY && errno != EEXIST)
        return -errno;
    if (at_fd == removal->fd)
        return 0; /* it is up here, and will be emptied in turn */
    return move_up(removal, at_fd, name);
}

/* Removes everything from a folder except subfolders, which are moved up. */
static int empty_folder(struct removal *removal, int at_fd, const char *name)
{
    DIR *entries = open_folder(at_fd, name);
    const struct dirent *entry;
    int r = 0;

    if (entries == NULL)
        return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
    while (r == 0 && (entry = readdir(entries)) != NULL) {
        if (is_dot(entry->d_name))
            continue;
        r = count_step(removal);
        if (r == 0)
            r = remove_or_move(removal, dirfd(entries), entry->d_name);
    }
    (void)closedir(entries);
    return r;
}

/* One pass over the folder itself. 1: there was something; 0: it was empty. */
static int pass(struct removal *removal)
{
    DIR *entries = open_folder(removal->fd, ".");
    const int top_fd = removal->fd;
    const struct dirent *entry;
    bool found = false;
    int r = 0;

    if (entries == NULL)
        return -errno;
    while (r == 0 && (entry = readdir(entries)) != NULL) {
        if (is_dot(entry->d_name))
            continue;
        found = true;
        r = count_step(removal);
        if (r == 0 && entry->d_type == DT_DIR)
            r = empty_folder(removal, top_fd, entry->d_name);
        if (r == 0)
            r = remove_or_move(removal, top_fd, entry->d_name);
    }
    (void)closedir(entries);
    return r < 0 ? r : found;
}

int home_removal_begin(struct removal *removal, int folder_fd, const char *name)
{
    *removal = (struct removal){.folder_fd = folder_fd, .name = name, .fd = -1};
    if (unlinkat(folder_fd, name, 0) == 0)
        return 0;
    if (errno != EISDIR && errno != EPERM)
        return -errno;
    removal->fd = openat(folder_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return removal->fd < 0 ? -errno : 1;
}

int home_removal_step(struct removal *removal)
{
    int r;

    removal->allowed = REMOVAL_STEP;
    while ((r = pass(removal)) > 0)
        ;
    if (r == -EAGAIN)
        return 1;
    if (r == 0 && unlinkat(removal->folder_fd, removal->name, AT_REMOVEDIR) < 0)
        r = -errno;
    home_removal_abandon(removal);
    return r;
}

void home_removal_abandon(struct removal *removal)
{
    (void)gb_close(removal->fd);
    removal->fd = -1;
}

int home_error(struct gb_err *err, int sys_errno, const char *what)
{
    switch (sys_errno) {
    case EXDEV:
    case ELOOP:
        return gb_err_set(err, GB_EPOLICY, "%s: the path leads out of " USER_HOME, what);
    case EACCES:
    case EPERM:
    case EROFS:
        return gb_err_set(err, GB_EPOLICY, "%s: the user may not do that", what);
    case ENOENT:
    case ENOTDIR:
        return gb_err_set(err, GB_ENOTFOUND, "%s: there is no such file or folder", what);
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return gb_err_set(
            err, GB_ETOOLARGE,
            "%s: no space left; a session's files may take up half of its memory at most", what);
    case ENAMETOOLONG:
        return gb_err_set(err, GB_ETOOLARGE, "%s: the path is too long", what);
    case ENXIO: /* a socket, or a device that does not exist */
    case ENODEV:
        return gb_err_set(err, GB_EINVALID, "%s: only regular files can be read and written", what);
    case EISDIR:
        return gb_err_set(err, GB_EINVALID, "%s: this is a folder", what);
    case EEXIST:
        return gb_err_set(err, GB_EINVALID, "%s: it exists already", what);
    case ENOTEMPTY:
        return gb_err_set(err, GB_EINVALID, "%s: the folder is not empty", what);
    case EBUSY:
        return gb_err_set(err, GB_EBUSY, "%s: it is in use", what);
    default:
        return gb_err_sys(err, sys_errno, "%s", what);
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "guard/launcher/root.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What a dynamic program needs, including QEMU's modules; missing paths are skipped. */
static const char *const libraries[] = {
    "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/local/lib", "/lib", "/lib64",
};

static const char *const nodes[] = {"/dev/null", "/dev/urandom", "/etc/ld.so.cache"};

enum {
    LIBRARY_COUNT = sizeof(libraries) / sizeof(libraries[0]),
    NODE_COUNT = sizeof(nodes) / sizeof(nodes[0]),
    BIND_MAX = LIBRARY_COUNT + NODE_COUNT + GUARD_FILES_MAX + 1
};

/* A detached mount. */
struct bind {
    int fd;
    bool directory;
    char target[GUARD_PATH_MAX]; /* relative to the new root */
    const char *source;
};

struct root {
    struct bind binds[BIND_MAX];
    size_t count;
};

static int add_bind(struct root *root, const char *source, const char *target, bool device)
{
    struct bind *bind = &root->binds[root->count];
    struct mount_attr attr = {
        .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | (device ? 0 : MOUNT_ATTR_NODEV),
    };
    struct stat st;
    int n;

    n = snprintf(bind->target, sizeof(bind->target), "%s", target + 1);
    if (n >= (int)sizeof(bind->target))
        return -ENAMETOOLONG;
    bind->source = source;
    bind->fd = open_tree(AT_FDCWD, source, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
    if (bind->fd < 0)
        return -errno;
    root->count++;
    if (fstat(bind->fd, &st) < 0)
        return -errno;
    bind->directory = S_ISDIR(st.st_mode);
    if (mount_setattr(bind->fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof(attr)) < 0)
        return -errno;
    return 0;
}

/* Opens everything while the old root is still visible. */
static int collect(struct root *root, const struct guard_options *options, const char **ret_what)
{
    int r;

    for (size_t i = 0; i < LIBRARY_COUNT; i++) {
        struct stat st;

        if (lstat(libraries[i], &st) < 0 || !S_ISDIR(st.st_mode))
            continue; /* absent, or a link that is copied later */
        *ret_what = libraries[i];
        r = add_bind(root, libraries[i], libraries[i], false);
        if (r < 0)
            return r;
    }
    for (size_t i = 0; i < NODE_COUNT; i++) {
        *ret_what = nodes[i];
        r = add_bind(root, nodes[i], nodes[i], true);
        if (r < 0 && r != -ENOENT)
            return r;
    }
    if (options->program != NULL) {
        *ret_what = options->program[0];
        r = add_bind(root, options->program[0], options->program[0], false);
        if (r < 0)
            return r;
    }
    for (size_t i = 0; i < options->file_count; i++) {
        const struct guard_file *file = &options->files[i];
        char target[64];

        if (file->kind != GUARD_FILE_SEEN)
            continue;
        *ret_what = file->path;
        options_inside_path(file, target, sizeof(target));
        r = add_bind(root, file->path, target, false);
        if (r < 0)
            return r;
    }
    return 0;
}

/* Creates the parent directories of @path, which is relative. */
static int make_parents(const char *path)
{
    char copy[GUARD_PATH_MAX];

    (void)snprintf(copy, sizeof(copy), "%s", path);
    for (char *slash = strchr(copy, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(copy, 0755) < 0 && errno != EEXIST)
            return -errno;
        *slash = '/';
    }
    return 0;
}

static int attach(const struct bind *bind)
{
    int r = make_parents(bind->target);
    int fd;

    if (r < 0)
        return r;
    if (bind->directory) {
        if (mkdir(bind->target, 0755) < 0 && errno != EEXIST)
            return -errno;
    } else {
        fd = open(bind->target, O_WRONLY | O_CREAT | O_CLOEXEC, 0444);
        if (fd < 0)
            return -errno;
        (void)close(fd);
    }
    if (move_mount(bind->fd, "", AT_FDCWD, bind->target, MOVE_MOUNT_F_EMPTY_PATH) < 0)
        return -errno;
    return 0;
}

/* On a merged system, /lib and others are links into /usr. */
static int copy_links(void)
{
    for (size_t i = 0; i < LIBRARY_COUNT; i++) {
        char to[PATH_MAX];
        ssize_t n = readlink(libraries[i], to, sizeof(to) - 1);
        int r;

        if (n < 0)
            continue;
        to[n] = '\0';
        r = make_parents(libraries[i] + 1);
        if (r < 0)
            return r;
        if (symlink(to, libraries[i] + 1) < 0)
            return -errno;
    }
    return 0;
}

int root_enter(const struct guard_options *options, const char **ret_what)
{
    /* Hidden by the new root: what was there becomes unreachable anyway. */
    static const char *const places[] = {"/tmp", "/run", "/var", "/usr"};
    static struct root root;
    int r;

    *ret_what = "/";
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return -errno;
    r = collect(&root, options, ret_what);
    if (r < 0)
        return r;
    *ret_what = "the new root";
    r = -ENOENT;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]) && r < 0; i++) {
        if (mount("glassbell", places[i], "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
                  "size=64k,nr_inodes=128,mode=755") == 0)
            r = chdir(places[i]) < 0 ? -errno : 0;
        else
            r = -errno;
    }
    if (r < 0)
        return r;
    r = copy_links();
    if (r < 0)
        return r;
    for (size_t i = 0; i < root.count; i++) {
        *ret_what = root.binds[i].source;
        r = attach(&root.binds[i]);
        if (r < 0)
            return r;
        (void)close(root.binds[i].fd);
    }
    *ret_what = "the new root";
    if (syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
        return -errno;
    if (mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC,
              NULL) < 0)
        return -errno;
    return 0;
}

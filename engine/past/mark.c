/* SPDX-License-Identifier: Apache-2.0 */
/* Marks: what makes a past outlive its process. Next to the chain are a note of the user's, and
 * links to the files of the snapshot and to what is behind the spare disk, which may be removed
 * from their stores meanwhile. A past counts as marked while there is a note, which is written last
 * and removed first. The note of a session that is awake, or is being woken, has another name: the
 * session may be further than it says. If there are both, the one of the session that sleeps is the
 * newer one. */
#include "past/mark.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "platform/file.h"
#include "vm/vm.h"

static char *mark_path(const char *path, const char *ending)
{
    return xasprintf("%s.%s", path, ending);
}

/* Whether @path is a link to that file. */
static bool mark_is_same(int fd, const char *path)
{
    struct stat info, there;

    return fstat(fd, &info) == 0 && lstat(path, &there) == 0 && info.st_dev == there.st_dev &&
           info.st_ino == there.st_ino;
}

static int mark_link(int fd, const char *path, const char *ending, struct gb_err *err)
{
    _cleanup_(freep) char *to = mark_path(path, ending);
    int r = gb_file_link(fd, to);

    if (r == -EEXIST && !mark_is_same(fd, to)) {
        (void)unlink(to);
        r = gb_file_link(fd, to);
    }
    if (r == 0 || r == -EEXIST)
        return 0;
    return gb_err_set(err, r == -ENOSPC ? GB_EDISK : GB_EUNSUPPORTED,
                      "cannot link the template's files at %s: %s", to, strerror(-r));
}

/* What has happened in it so far survives a power cut. */
static int mark_sync_folder(const char *path, struct gb_err *err)
{
    _cleanup_(freep) char *folder = xstrdup(path);
    _cleanup_(closep) int fd = -1;

    *strrchr(folder, '/') = '\0';
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) < 0)
        return gb_err_sys(err, errno, "cannot sync %s", folder);
    return 0;
}

static const char *mark_ending(bool awake)
{
    return awake ? "awake" : "note";
}

/* 1: there is a note with that ending; 0: there is none. */
static int mark_has(const char *path, bool awake, struct gb_err *err)
{
    _cleanup_(freep) char *note = mark_path(path, mark_ending(awake));
    struct stat info;

    if (lstat(note, &info) == 0)
        return 1;
    return errno == ENOENT ? 0 : gb_err_sys(err, errno, "cannot look at %s", note);
}

static void mark_unlink(const char *path, const char *ending)
{
    _cleanup_(freep) char *file = mark_path(path, ending);

    (void)unlink(file);
}

int past_mark_write(const char *path, const struct gb_snapshot_files *files, bool awake,
                    struct gb_bytes note, struct gb_err *err)
{
    _cleanup_(freep) char *to = mark_path(path, mark_ending(awake));
    /* Then a power cut leaves that one, or this one, and both are true. */
    const int replaces = awake ? mark_has(path, true, err) : 0;
    int r = MIN(replaces, 0);

    if (r == 0)
        r = mark_link(files->ram_fd, path, "ram", err);
    if (r == 0)
        r = mark_link(files->state_fd, path, "state", err);
    if (r == 0)
        r = gb_fd_replace_file(to, note, 0600, err);
    if (r < 0 || replaces > 0)
        return r;
    r = mark_sync_folder(path, err);
    if (r < 0)
        (void)unlink(to); /* nobody would remove it: there is no mark */
    else if (!awake)
        mark_unlink(path, "awake");
    return r;
}

int past_mark_layer(const char *path, int disk_fd, struct gb_err *err)
{
    struct gb_err why = {0};

    if (disk_fd < 0 || mark_link(disk_fd, path, "layer", &why) == 0 || why.code != GB_EDISK)
        return 0;
    return gb_err_set(err, GB_EDISK, "%s", why.message);
}

int past_mark_wake(const char *path, struct gb_err *err)
{
    _cleanup_(freep) char *asleep = mark_path(path, mark_ending(false));
    _cleanup_(freep) char *awake = mark_path(path, mark_ending(true));
    int r;

    if (rename(asleep, awake) < 0)
        return gb_err_sys(err, errno, "cannot rename %s", asleep);
    r = mark_sync_folder(path, err);
    if (r < 0)
        (void)rename(awake, asleep);
    return r;
}

bool past_mark_lull(const char *path)
{
    _cleanup_(freep) char *asleep = mark_path(path, mark_ending(false));
    _cleanup_(freep) char *awake = mark_path(path, mark_ending(true));

    return rename(awake, asleep) == 0;
}

int gb_past_has_mark(const char *path, bool *ret_awake, struct gb_err *err)
{
    const int asleep = mark_has(path, false, err);

    if (asleep < 0)
        return asleep;
    *ret_awake = asleep == 0;
    return asleep > 0 ? asleep : mark_has(path, true, err);
}

static void mark_remove(const char *path)
{
    bool awake;

    /* First and for good: what follows is of no use to anybody then. */
    if (gb_past_has_mark(path, &awake, NULL) != 0) {
        mark_unlink(path, mark_ending(false));
        mark_unlink(path, mark_ending(true));
        (void)mark_sync_folder(path, NULL);
    }
    mark_unlink(path, "ram");
    mark_unlink(path, "state");
    mark_unlink(path, "layer");
}

/* Only a file that nobody else has made or can change. Does not wait for anything. */
static int mark_open(const char *path, const char *ending, int *ret_fd, struct stat *ret_info,
                     struct gb_err *err)
{
    _cleanup_(freep) char *from = mark_path(path, ending);

    *ret_fd = open(from, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (*ret_fd < 0 || fstat(*ret_fd, ret_info) < 0)
        return gb_err_sys(err, errno, "cannot open %s", from);
    if (!S_ISREG(ret_info->st_mode))
        return gb_err_set(err, GB_EINVALID, "%s is not a file", from);
    if (ret_info->st_uid != geteuid() || (ret_info->st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return gb_err_set(err, GB_EINVALID, "%s is not a file of ours alone", from);
    return 0;
}

static int mark_read_note(const char *path, bool awake, struct gb_buf *note, struct gb_err *err)
{
    _cleanup_(closep) int fd = -1;
    struct stat info;
    uint8_t *to;
    ssize_t n;
    int r = mark_open(path, mark_ending(awake), &fd, &info, err);

    if (r < 0)
        return r;
    if (info.st_size > GB_PAST_NOTE_MAX)
        return gb_err_set(err, GB_ETOOLARGE, "its note is larger than %d bytes",
                          (int)GB_PAST_NOTE_MAX);
    to = gb_buf_reserve(note, (size_t)info.st_size + 1, SIZE_MAX);
    if (to == NULL)
        return gb_err_set(err, GB_ECAPACITY, "no memory to read a note");
    n = gb_fd_read_full(fd, to, (size_t)info.st_size + 1);
    if (n < 0)
        return gb_err_sys(err, (int)-n, "cannot read the note of %s", path);
    if (n != info.st_size)
        return gb_err_set(err, GB_EINVALID, "its note is being changed");
    gb_buf_commit(note, (size_t)n);
    return 0;
}

int gb_past_read_mark(const char *path, bool awake, struct gb_buf *note,
                      struct gb_snapshot_files *ret_files, struct gb_err *err)
{
    struct gb_snapshot_files files = GB_SNAPSHOT_FILES_NONE;
    struct stat ram = {0}, state = {0};
    int r = mark_read_note(path, awake, note, err);

    if (r == 0)
        r = mark_open(path, "ram", &files.ram_fd, &ram, err);
    if (r == 0)
        r = mark_open(path, "state", &files.state_fd, &state, err);
    if (r < 0) {
        gb_snapshot_files_release(&files);
        return r;
    }
    files.ram_bytes = (uint64_t)ram.st_size;
    files.disk_bytes = ((uint64_t)ram.st_blocks + (uint64_t)state.st_blocks) * 512;
    files.made_at_s = (uint64_t)ram.st_mtime;
    *ret_files = files;
    return 0;
}

int gb_past_open_layer(const char *path)
{
    struct stat info = {0};
    int fd = -1;

    if (mark_open(path, "layer", &fd, &info, NULL) == 0 &&
        (uint64_t)info.st_size == GB_VM_SPARE_BYTES)
        return fd;
    (void)gb_close(fd);
    return -1;
}

void gb_past_remove(const char *path)
{
    mark_remove(path);
    (void)unlink(path);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Marks: what makes a past outlive its process. Next to the chain are a note of the user's, and
 * links to the files of the snapshot, which may be removed from its store meanwhile. A past counts
 * as marked while there is a note, which is written last and removed first. */
#include "past/mark.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "platform/file.h"

static char *mark_path(const char *path, const char *ending)
{
    return xasprintf("%s.%s", path, ending);
}

static int mark_link(int fd, const char *path, const char *ending, struct gb_err *err)
{
    _cleanup_(freep) char *to = mark_path(path, ending);
    int r = gb_file_link(fd, to);

    if (r == 0 || r == -EEXIST)
        return 0;
    return gb_err_set(err, r == -ENOSPC ? GB_ECAPACITY : GB_EUNSUPPORTED,
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

int past_mark_write(const char *path, const struct gb_snapshot_files *files, struct gb_bytes note,
                    struct gb_err *err)
{
    _cleanup_(freep) char *to = mark_path(path, "note");
    int r = mark_link(files->ram_fd, path, "ram", err);

    if (r == 0)
        r = mark_link(files->state_fd, path, "state", err);
    if (r == 0)
        r = gb_fd_replace_file(to, note, 0600, err);
    return r == 0 ? mark_sync_folder(path, err) : r;
}

void past_mark_remove_note(const char *path)
{
    _cleanup_(freep) char *note = mark_path(path, "note");

    (void)unlink(note);
}

void past_mark_remove(const char *path)
{
    _cleanup_(freep) char *ram = mark_path(path, "ram");
    _cleanup_(freep) char *state = mark_path(path, "state");

    past_mark_remove_note(path);
    (void)unlink(ram);
    (void)unlink(state);
}

static int mark_open(const char *path, const char *ending, int *ret_fd, struct gb_err *err)
{
    _cleanup_(freep) char *from = mark_path(path, ending);
    struct stat info;

    *ret_fd = open(from, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (*ret_fd < 0 || fstat(*ret_fd, &info) < 0)
        return gb_err_sys(err, errno, "cannot open %s", from);
    if (!S_ISREG(info.st_mode))
        return gb_err_set(err, GB_EINVALID, "%s is not a file", from);
    return 0;
}

int gb_past_read_mark(const char *path, struct gb_buf *note, struct gb_snapshot_files *ret_files,
                      struct gb_err *err)
{
    _cleanup_(freep) char *from = mark_path(path, "note");
    struct gb_snapshot_files files = GB_SNAPSHOT_FILES_NONE;
    struct stat ram = {0}, state = {0};
    int r = gb_fd_read_file(from, GB_PAST_NOTE_MAX, note, err);

    if (r == 0)
        r = mark_open(path, "ram", &files.ram_fd, err);
    if (r == 0)
        r = mark_open(path, "state", &files.state_fd, err);
    if (r == 0 && (fstat(files.ram_fd, &ram) < 0 || fstat(files.state_fd, &state) < 0))
        r = gb_err_sys(err, errno, "cannot look at the files of %s", path);
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

void gb_past_remove(const char *path)
{
    past_mark_remove(path);
    (void)unlink(path);
}

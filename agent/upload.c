/* SPDX-License-Identifier: Apache-2.0 */
#include "upload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent.h"
#include "base/fd.h"
#include "base/mem.h"
#include "home.h"
#include "init.h"
#include "system.h"

enum {
    DEFAULT_MODE = 0644,
    MODE_BITS = 0777,
    ROOM_AHEAD = 256 * 1024, /* bytes for which memory is checked at once */
};

struct upload {
    struct files *files;
    int fd, folder_fd;
    char *path; /* relative to the home */
    char *name; /* in the folder */
    mode_t mode;
    uint64_t size;
    size_t room; /* bytes that may be written before memory is checked again */
};

static void upload_free(struct upload *upload)
{
    if (upload == NULL)
        return;
    upload->files->upload_count--;
    (void)gb_close(upload->fd);
    (void)gb_close(upload->folder_fd);
    free(upload->path);
    free(upload->name);
    free(upload);
}

/* Opens the folder of its path, and creates an unnamed file in it. */
static int upload_make(struct upload *upload, struct gb_err *err)
{
    struct path path;
    const char *name;
    int r = path_parse(gb_bytes_str(upload->path), USER_HOME, &path, err);

    if (r < 0)
        return r;
    name = path_split(&path);
    if (name == NULL)
        return gb_err_set(err, GB_EINVALID, "the path does not name a file");
    upload->name = xstrdup(name);
    upload->folder_fd = home_open_parents(upload->files->home_fd, path.text);
    if (upload->folder_fd < 0)
        return home_error(err, -upload->folder_fd, "the folder of the file");
    upload->fd = home_open(upload->folder_fd, ".", O_TMPFILE | O_RDWR, DEFAULT_MODE);
    return upload->fd < 0 ? home_error(err, -upload->fd, "the file cannot be made") : 0;
}

/* NULL with @err: refused. */
static struct upload *upload_begin(struct files *files, struct gb_bytes path, uint32_t mode,
                                   struct gb_err *err)
{
    struct upload *upload;
    struct path parsed;
    int r;

    if (files->upload_count >= GB_UPLOADS_MAX) {
        (void)gb_err_set(err, GB_EBUSY, "%u uploads are unfinished", GB_UPLOADS_MAX);
        return NULL;
    }
    if ((mode & ~(uint32_t)MODE_BITS) != 0) {
        (void)gb_err_set(err, GB_EINVALID, "the mode %o has bits other than permissions", mode);
        return NULL;
    }
    if (path_parse(path, USER_HOME, &parsed, err) < 0 || files_check_room(files, 0, err) < 0)
        return NULL;
    upload = xcalloc(1, sizeof(*upload));
    files->upload_count++;
    upload->files = files;
    upload->fd = upload->folder_fd = -1;
    upload->path = xstrndup((const char *)path.data, path.size);
    upload->mode = mode == 0 ? DEFAULT_MODE : (mode_t)mode;
    home_as_user(true);
    r = upload_make(upload, err);
    home_as_user(false);
    if (r < 0) {
        upload_free(upload);
        return NULL;
    }
    return upload;
}

/* Memory is checked ahead, because that costs more than writing a small piece. */
static int upload_check_room(struct upload *upload, size_t size, struct gb_err *err)
{
    struct files *files = upload->files;

    if (size > upload->room) {
        upload->room = 0;
        if (!system_has_available(files->proc_fd, files->reserve + size + ROOM_AHEAD))
            return files_check_room(files, size, err);
        upload->room = size + ROOM_AHEAD;
    }
    upload->room -= size;
    return 0;
}

static int upload_write(struct upload *upload, struct gb_bytes bytes, struct gb_err *err)
{
    int r = upload_check_room(upload, bytes.size, err);
    ssize_t n;

    if (r < 0)
        return r;
    n = gb_fd_write_full(upload->fd, bytes.data, bytes.size);
    if (n < 0)
        return home_error(err, (int)-n, "the file cannot be written");
    upload->size += (uint64_t)n;
    return 0;
}

/* An existing link must not lead outside, even though it would be replaced: whoever writes through
 * it does not expect that. */
static int upload_check_target(const struct upload *upload, struct gb_err *err)
{
    struct path path;
    _cleanup_(closep) int fd = -1;
    int r = path_parse(gb_bytes_str(upload->path), USER_HOME, &path, err);

    if (r < 0)
        return r;
    fd = home_open(upload->files->home_fd, path.text, O_PATH, 0);
    if (fd == -EXDEV || fd == -ELOOP)
        return home_error(err, -fd, "the file");
    return 0;
}

/* Gives the file its name: directly if the name is free, otherwise through a temporary name and a
 * rename. */
static int upload_name(const struct upload *upload)
{
    char source[32], beside[32];
    uint64_t random = 0;

    (void)snprintf(source, sizeof(source), "/proc/self/fd/%d", upload->fd);
    if (linkat(AT_FDCWD, source, upload->folder_fd, upload->name, AT_SYMLINK_FOLLOW) == 0)
        return 0;
    if (errno != EEXIST)
        return -errno;
    if (getrandom(&random, sizeof(random), 0) < 0)
        return -errno;
    (void)snprintf(beside, sizeof(beside), ".upload-%016llx", (unsigned long long)random);
    if (linkat(AT_FDCWD, source, upload->folder_fd, beside, AT_SYMLINK_FOLLOW) < 0)
        return -errno;
    if (renameat(upload->folder_fd, beside, upload->folder_fd, upload->name) == 0)
        return 0;
    random = (uint64_t)errno;
    (void)unlinkat(upload->folder_fd, beside, 0);
    return -(int)random;
}

static int upload_finish(const struct upload *upload, struct gb_err *err)
{
    int r;

    home_as_user(true);
    r = upload_check_target(upload, err);
    if (r == 0) {
        r = fchmod(upload->fd, upload->mode) < 0 ? -errno : upload_name(upload);
        if (r < 0)
            r = home_error(err, -r, "the file cannot be put in its place");
    }
    home_as_user(false);
    if (r == 0)
        changes_accept(upload->files->changes, upload->folder_fd, upload->name);
    return r;
}

int upload_put(struct files *files, struct gb_bytes path, struct gb_bytes data, mode_t mode,
               struct gb_err *err)
{
    struct upload *upload = upload_begin(files, path, mode, err);
    int r;

    if (upload == NULL)
        return -(int)err->code;
    r = upload_write(upload, data, err);
    if (r == 0)
        r = upload_finish(upload, err);
    upload_free(upload);
    return r;
}

/* ---- streams ---- */

int upload_opened(void *arg, struct gb_mux_stream *stream, struct gb_bytes params,
                  struct gb_err *err)
{
    struct agent *agent = arg;
    struct gb_upload message;

    if (gb_fields_decode(&gb_upload_fields, params, &message, err) < 0)
        return 1;
    stream->user = upload_begin(&agent->files, message.path, message.mode, err);
    return stream->user == NULL ? 1 : 0;
}

int upload_data(void *arg, struct gb_mux_stream *stream, struct gb_bytes bytes, struct gb_err *err)
{
    struct upload *upload = stream->user;
    struct gb_err why = {0};

    (void)arg;
    (void)err;
    if (upload_write(upload, bytes, &why) == 0) {
        gb_mux_consume(stream, bytes.size);
        return 0;
    }
    upload_free(upload);
    gb_mux_reset(stream, &why);
    return 0;
}

int upload_shut(void *arg, struct gb_mux_stream *stream, struct gb_bytes word, struct gb_err *err)
{
    struct upload *upload = TAKE_PTR(stream->user);
    const struct gb_upload_end end = {upload->size};
    struct gb_err why = {0};
    int r = upload_finish(upload, &why);

    (void)arg;
    (void)word;
    (void)err;
    upload_free(upload);
    if (r < 0)
        gb_mux_reset(stream, &why);
    else
        (void)gb_mux_shut(stream, &end);
    return 0;
}

void upload_ended(void *arg, struct gb_mux_stream *stream, const struct gb_err *why)
{
    (void)arg;
    (void)why;
    upload_free(stream->user);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "download.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent.h"
#include "base/fd.h"
#include "base/mem.h"
#include "home.h"
#include "init.h"

struct download {
    int fd;
    uint64_t offset, left;
};

static void download_free(struct download *download)
{
    if (download == NULL)
        return;
    (void)gb_close(download->fd);
    free(download);
}

/* A descriptor of the file, or -GB_E…. */
static int download_open(int home_fd, struct gb_bytes input, struct gb_err *err)
{
    struct path path;
    struct stat status;
    _cleanup_(closep) int fd = -1;
    int r = path_parse(input, USER_HOME, &path, err);

    if (r < 0)
        return r;
    home_as_user(true);
    /* O_NONBLOCK: opening a FIFO would block until it has a writer. */
    fd = home_open(home_fd, path.text, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
    home_as_user(false);
    if (fd < 0)
        return home_error(err, -fd, "the file cannot be read");
    if (fstat(fd, &status) < 0)
        return gb_err_sys(err, errno, "the file cannot be read");
    if (!S_ISREG(status.st_mode))
        return gb_err_set(err, GB_EINVALID, "only regular files can be read");
    return TAKE_FD(fd);
}

int download_opened(void *arg, struct gb_mux_stream *stream, struct gb_bytes params,
                    struct gb_err *err)
{
    const struct agent *agent = arg;
    struct gb_download message;
    struct download *download;
    int fd;

    if (gb_fields_decode(&gb_download_fields, params, &message, err) < 0)
        return 1;
    fd = download_open(agent->files.home_fd, message.path, err);
    if (fd < 0)
        return 1;
    download = xcalloc(1, sizeof(*download));
    download->fd = fd;
    download->offset = MIN(message.offset, (uint64_t)INT64_MAX);
    download->left = MIN(message.length, (uint64_t)INT64_MAX - download->offset);
    stream->user = download;
    gb_mux_want(stream, true);
    return 0;
}

/* The data is complete: at end of file, or at the requested end. */
static void download_finish(struct gb_mux_stream *stream, bool at_end)
{
    struct download *download = TAKE_PTR(stream->user);
    struct gb_download_end end = {0};
    struct gb_err why = {0};
    struct stat status;

    if (fstat(download->fd, &status) == 0) {
        end.size = (uint64_t)status.st_size;
        end.eof = at_end || download->offset >= end.size;
        (void)gb_mux_shut(stream, &end);
    } else {
        (void)gb_err_sys(&why, errno, "the file cannot be read");
        gb_mux_reset(stream, &why);
    }
    download_free(download);
}

static void download_fail(struct gb_mux_stream *stream, const struct gb_err *why)
{
    download_free(TAKE_PTR(stream->user));
    gb_mux_reset(stream, why);
}

void download_fill(void *arg, struct gb_mux_stream *stream)
{
    struct download *download = stream->user;
    size_t size = (size_t)MIN(download->left, (uint64_t)gb_mux_room(stream));
    struct gb_err why = {0};
    ssize_t n = 0;

    (void)arg;
    if (size > 0) {
        uint8_t *to = gb_mux_send_begin(stream, size);

        if (to == NULL) {
            (void)gb_err_set(&why, GB_ECAPACITY, "no memory for %zu bytes of the file", size);
            download_fail(stream, &why);
            return;
        }
        n = pread(download->fd, to, size, (off_t)download->offset);
        if (n < 0) {
            (void)gb_err_sys(&why, errno, "the file cannot be read");
            download_fail(stream, &why);
            return;
        }
        download->offset += (uint64_t)n;
        download->left -= (uint64_t)n;
        gb_mux_send_end(stream, (size_t)n, false);
    }
    if ((size_t)n < size || download->left == 0)
        download_finish(stream, (size_t)n < size);
}

void download_ended(void *arg, struct gb_mux_stream *stream, const struct gb_err *why)
{
    (void)arg;
    (void)why;
    download_free(stream->user);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "kit/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "platform/file.h"

struct output {
    uv_poll_t poll; /* must be first: freed through it */
    struct gb_loop *loop;
    int fd; /* what we write to; owned if it differs from @given */
    int given;
    bool direct;          /* a file: write() does not block */
    bool nonblocking_set; /* we had to set O_NONBLOCK on the shared descriptor */
    bool polled, waiting, over, told;
    struct gb_buf queue;
    void (*drained)(void *arg);
    void (*broken)(void *arg, int sys_errno);
    void *arg;
    int sys_errno;
    struct gb_deferred report;
};

static void output_on_writable(uv_poll_t *poll, int status, int events);

static void output_tell_broken(void *arg)
{
    struct output *output = arg;

    if (output->told)
        return;
    output->told = true;
    output->broken(output->arg, output->sys_errno);
}

static void output_break_off(struct output *output, int sys_errno)
{
    output->over = true;
    output->sys_errno = sys_errno;
    gb_buf_clear(&output->queue);
    if (output->waiting)
        (void)uv_poll_stop(&output->poll);
    output->waiting = false;
    gb_loop_defer(output->loop, &output->report, output_tell_broken, output);
}

static ssize_t output_write_some(const struct output *output, const void *data, size_t size)
{
    ssize_t n;

    do
        n = write(output->fd, data, size);
    while (n < 0 && errno == EINTR);
    return n;
}

static void output_push(struct output *output)
{
    while (output->queue.size > 0) {
        ssize_t n = output_write_some(output, gb_buf_data(&output->queue), output->queue.size);

        if (n < 0 && errno == EAGAIN && !output->direct) {
            if (!output->waiting)
                (void)uv_poll_start(&output->poll, UV_WRITABLE | UV_DISCONNECT, output_on_writable);
            output->waiting = true;
            return;
        }
        if (n < 0) {
            output_break_off(output, errno);
            return;
        }
        gb_buf_consume(&output->queue, (size_t)n);
    }
    if (output->waiting) {
        output->waiting = false;
        (void)uv_poll_stop(&output->poll);
        output->drained(output->arg);
    }
}

static void output_on_writable(uv_poll_t *poll, int status, int events)
{
    (void)status; /* write() will report it */
    (void)events;
    output_push(poll->data);
}

struct output *output_new(struct gb_loop *loop, int fd, void (*drained)(void *arg),
                          void (*broken)(void *arg, int sys_errno), void *arg)
{
    struct output *output = xcalloc(1, sizeof(*output));
    struct stat st;

    output->loop = loop;
    output->fd = output->given = fd;
    output->drained = drained;
    output->broken = broken;
    output->arg = arg;
    output->poll.data = output;
    output->direct =
        fstat(fd, &st) < 0 || S_ISREG(st.st_mode) || (S_ISCHR(st.st_mode) && isatty(fd) == 0);
    if (output->direct)
        return output;
    if (!S_ISSOCK(st.st_mode)) {
        int anew = gb_file_reopen(fd, O_WRONLY | O_NONBLOCK);

        if (anew >= 0)
            output->fd = anew;
    }
    if (output->fd == fd && (fcntl(fd, F_GETFL) & O_NONBLOCK) == 0)
        output->nonblocking_set = gb_fd_set_nonblocking(fd, true) == 0;
    output->polled = uv_poll_init(gb_loop_uv(loop), &output->poll, output->fd) == 0;
    if (!output->polled)
        output->direct = true;
    return output;
}

void output_write(struct output *output, struct gb_bytes bytes)
{
    if (output->over || bytes.size == 0)
        return;
    gb_buf_add(&output->queue, bytes.data, bytes.size);
    if (!output->waiting)
        output_push(output);
}

size_t output_queued(const struct output *output)
{
    return output->queue.size;
}

static void output_free_output(uv_handle_t *handle)
{
    struct output *output = handle->data;

    gb_buf_release(&output->queue);
    if (output->nonblocking_set)
        (void)gb_fd_set_nonblocking(output->given, false); /* restores its flags */
    if (output->fd != output->given)
        (void)gb_close(output->fd);
    free(output);
}

void output_free(struct output *output)
{
    if (output == NULL)
        return;
    gb_loop_undefer(&output->report);
    if (output->polled)
        uv_close((uv_handle_t *)&output->poll, output_free_output);
    else
        output_free_output((uv_handle_t *)&output->poll);
}

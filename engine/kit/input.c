/* SPDX-License-Identifier: Apache-2.0 */
#include "kit/input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "platform/file.h"

enum { READ_MAX = 64u << 10 };

struct input {
    struct gb_loop *loop;
    int fd, given;
    bool nonblocking_set, paused, over;
    struct gb_watch *watch; /* NULL: a file, read from deferred calls */
    struct gb_deferred turn;
    void (*got)(void *arg, struct gb_bytes bytes);
    void *arg;
    uint8_t buffer[READ_MAX];
};

static void input_take_turn(void *arg);

/* A terminal while we are in the background: reading from it would stop us. */
static bool input_is_of_others(int fd)
{
    pid_t foreground = isatty(fd) == 1 ? tcgetpgrp(fd) : 0;

    return foreground > 0 && foreground != getpgrp();
}

static void input_read_some(struct input *input)
{
    ssize_t n;

    if (input->over || input->paused)
        return;
    if (input_is_of_others(input->fd)) {
        input_pause(input, true);
        return;
    }
    do
        n = read(input->fd, input->buffer, sizeof(input->buffer));
    while (n < 0 && errno == EINTR);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0) { /* treat errors as end of file */
        input->over = true;
        if (input->watch != NULL)
            gb_watch_pause(input->watch, true);
        input->got(input->arg, (struct gb_bytes){input->buffer, 0});
        return;
    }
    if (input->watch == NULL)
        gb_loop_defer(input->loop, &input->turn, input_take_turn, input);
    input->got(input->arg, (struct gb_bytes){input->buffer, (size_t)n});
}

static void input_take_turn(void *arg)
{
    input_read_some(arg);
}

struct input *input_new(struct gb_loop *loop, int fd, void (*got)(void *arg, struct gb_bytes bytes),
                        void *arg)
{
    struct input *input = xcalloc(1, sizeof(*input));
    struct stat st;

    input->loop = loop;
    input->fd = input->given = fd;
    input->got = got;
    input->arg = arg;
    if (fstat(fd, &st) < 0 || S_ISREG(st.st_mode) || (S_ISCHR(st.st_mode) && isatty(fd) == 0)) {
        gb_loop_defer(loop, &input->turn, input_take_turn, input);
        return input;
    }
    if (!S_ISSOCK(st.st_mode)) {
        int anew = gb_file_reopen(fd, O_RDONLY | O_NONBLOCK);

        if (anew >= 0)
            input->fd = anew;
    }
    if (input->fd == fd && (fcntl(fd, F_GETFL) & O_NONBLOCK) == 0)
        input->nonblocking_set = gb_fd_set_nonblocking(fd, true) == 0;
    input->watch = gb_watch_new(loop, input->fd, input_take_turn, input);
    return input;
}

void input_pause(struct input *input, bool paused)
{
    input->paused = paused;
    if (input->over)
        return;
    if (input->watch != NULL)
        gb_watch_pause(input->watch, paused);
    else if (!paused)
        gb_loop_defer(input->loop, &input->turn, input_take_turn, input);
}

void input_free(struct input *input)
{
    if (input == NULL)
        return;
    gb_loop_undefer(&input->turn);
    gb_watch_free(input->watch);
    if (input->nonblocking_set)
        (void)gb_fd_set_nonblocking(input->given, false);
    if (input->fd != input->given)
        (void)gb_close(input->fd);
    free(input);
}

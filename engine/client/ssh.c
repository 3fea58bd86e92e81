/* SPDX-License-Identifier: Apache-2.0 */
#include "client/ssh.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "platform/process.h"
#include "platform/socket.h"
#include "rpc/access.h"

enum {
    ASKED_TIMEOUT_MS = 600000, /* long enough to look up a password */
    SHOW_AFTER_MS = 1000,      /* of what ssh prints while it waits for the user */
    LAST_WORDS_MS = 1000,      /* of ssh, to print its reason after the stream has ended */
    ERRORS_MAX = 8192,
    LINE_SHOWN_MAX = 200,
    GREETING_NODES_MAX = 16,
};

/* Puts ssh into the background: not as our child, and ignoring the keyboard's signals (POSIX
 * requires both for an asynchronous list). Its standard input, which would be /dev/null in such a
 * list, is the same socket as its output. */
static const char ssh_launch[] = "exec \"$@\" <&1 &";

/* The same options that scp uses: a connection that only carries the protocol. The last three limit
 * how long a dead link goes unnoticed. */
static const char *const ssh_options[] = {
    "-T",
    "-x",
    "-oPermitLocalCommand=no",
    "-oClearAllForwardings=yes",
    "-oRemoteCommand=none",
    "-oRequestTTY=no",
    "-oForwardAgent=no",
    "-oConnectTimeout=30",
    "-oServerAliveInterval=15",
    "-oServerAliveCountMax=3",
};

void gb_ssh_command(const struct gb_remote *host, const struct gb_ssh_config *config, bool batch,
                    struct gb_buf *buf, const char *ret_argv[GB_SSH_ARGS_MAX])
{
    size_t count = 0, port, command;

    /* The texts first: adding to the buffer moves them. */
    port = buf->size;
    gb_buf_addf(buf, "%u", (unsigned)host->port);
    gb_buf_add_u8(buf, '\0');
    command = buf->size;
    gb_buf_adds(buf, "glassbell stdio");
    if (!config->autostart)
        gb_buf_adds(buf, " --no-autostart");
    if (host->socket[0] != '\0') /* contains neither ' nor \ */
        gb_buf_addf(buf, " --socket '%s'", host->socket);
    gb_buf_add_u8(buf, '\0');

    ret_argv[count++] = "ssh";
    for (size_t i = 0; i < ARRAY_SIZE(ssh_options); i++)
        ret_argv[count++] = ssh_options[i];
    if (batch)
        ret_argv[count++] = "-oBatchMode=yes";
    if (host->port != 0) {
        ret_argv[count++] = "-p";
        ret_argv[count++] = (const char *)gb_buf_data(buf) + port;
    }
    if (host->user[0] != '\0') {
        ret_argv[count++] = "-l";
        ret_argv[count++] = host->user;
    }
    ret_argv[count++] = "--";
    ret_argv[count++] = host->name;
    ret_argv[count++] = (const char *)gb_buf_data(buf) + command;
    ret_argv[count] = NULL;
}

static int ssh_add_actions(posix_spawn_file_actions_t *actions, int stream, int errors,
                           short *flags)
{
    int r = posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDONLY, 0);

    if (r == 0)
        r = posix_spawn_file_actions_adddup2(actions, stream, 1);
    if (r == 0)
        r = posix_spawn_file_actions_adddup2(actions, errors, 2);
    if (r == 0)
        r = gb_process_spawn_closed_from(actions, 3, flags);
    return r;
}

/* Starts `sh -c LAUNCH sh ARGV…` and waits for the shell, which exits as soon as ssh has
 * started. */
static int ssh_spawn(const char *const *argv, int stream, int errors, struct gb_err *err)
{
    extern char **environ;
    const char *whole[GB_SSH_ARGS_MAX + 4] = {"sh", "-c", ssh_launch, "sh"};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
    sigset_t none, defaults;
    pid_t pid;
    int r;

    for (size_t i = 0; argv[i] != NULL; i++)
        whole[i + 4] = argv[i];
    (void)sigemptyset(&none);
    (void)sigemptyset(&defaults);
    (void)sigaddset(&defaults, SIGPIPE);
    if (posix_spawn_file_actions_init(&actions) != 0)
        return gb_err_set(err, GB_EINTERNAL, "not enough memory to start ssh");
    if (posix_spawnattr_init(&attributes) != 0) {
        (void)posix_spawn_file_actions_destroy(&actions);
        return gb_err_set(err, GB_EINTERNAL, "not enough memory to start ssh");
    }
    r = ssh_add_actions(&actions, stream, errors, &flags);
    if (r == 0)
        r = posix_spawnattr_setsigmask(&attributes, &none);
    if (r == 0)
        r = posix_spawnattr_setsigdefault(&attributes, &defaults);
    if (r == 0)
        r = posix_spawnattr_setflags(&attributes, flags);
    if (r == 0)
        r = posix_spawn(&pid, "/bin/sh", &actions, &attributes, (char *const *)(uintptr_t)whole,
                        environ);
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)posix_spawnattr_destroy(&attributes);
    if (r != 0)
        return gb_err_sys(err, r, "cannot start ssh");
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    return 0;
}

/* ---- the greeting ---- */

void gb_ssh_write_greeting(struct gb_buf *out, const struct gb_err *problem)
{
    struct gb_json_out json = {.buf = out};

    gb_json_object(&json, NULL);
    gb_json_put_u64(&json, "stdio", GB_STDIO_VERSION);
    if (problem != NULL) {
        gb_json_object(&json, "error");
        gb_json_put_str(&json, "kind", gb_code_kind(problem->code));
        gb_json_put_str(&json, "message", problem->message);
        gb_json_end(&json);
    }
    gb_json_end(&json);
    gb_buf_add_u8(out, '\n');
}

static int ssh_no_greeting(struct gb_bytes line, struct gb_err *err)
{
    struct gb_buf shown = {0};
    int r;

    gb_escape(&shown, line, LINE_SHOWN_MAX);
    r = gb_err_set(err, GB_ENOTFOUND,
                   "`glassbell stdio` did not answer, but \"%s\" came: does a start-up file of the "
                   "shell there print something?",
                   gb_buf_str(&shown));
    gb_buf_release(&shown);
    return r;
}

int gb_ssh_read_greeting(uint8_t *line, size_t size, struct gb_err *err)
{
    struct gb_buf copy = {0}; /* parsing changes it */
    struct gb_json_doc doc = {0};
    const struct gb_json *version, *error;
    char kind[32], message[GB_ERR_MESSAGE_MAX];
    int64_t number;
    int r = 0;

    gb_buf_add(&copy, line, size);
    if (gb_json_parse(&doc, line, size, GREETING_NODES_MAX, NULL) < 0 ||
        (version = gb_json_member(&doc.nodes[0], "stdio")) == NULL ||
        !gb_json_integer(version, &number)) {
        r = ssh_no_greeting(gb_buf_bytes(&copy), err);
    } else if (number != GB_STDIO_VERSION) {
        r = gb_err_set(err, GB_EUNSUPPORTED,
                       "the program there speaks another version of this protocol protocol");
    } else if ((error = gb_json_member(&doc.nodes[0], "error")) != NULL) {
        json_copy(error, "kind", kind, sizeof(kind));
        json_copy(error, "message", message, sizeof(message));
        r = gb_err_set(err, gb_code_from_kind(kind), "%s",
                       message[0] != '\0' ? message : "the program there gave no reason");
    }
    gb_json_release(&doc);
    gb_buf_release(&copy);
    return r;
}

void gb_ssh_last_line(struct gb_bytes text, struct gb_buf *out)
{
    while (text.size > 0 && out->size == 0) {
        size_t end = text.size;

        while (end > 0 && (text.data[end - 1] == '\n' || text.data[end - 1] == '\r' ||
                           text.data[end - 1] == ' '))
            end--;
        text.size = end;
        while (text.size > 0 && text.data[text.size - 1] != '\n')
            text.size--;
        gb_escape(out, (struct gb_bytes){text.data + text.size, end - text.size}, LINE_SHOWN_MAX);
    }
}

/* ---- waiting for it ---- */

struct ssh_wait {
    int stream, errors; /* errors −1: closed */
    uint64_t deadline_ns;
    bool ask;
    struct gb_buf said; /* the end of ssh's standard error */
    size_t shown;       /* how much of it we have shown on our terminal */
    uint8_t line[GB_GREETING_MAX];
    size_t size;
};

static void ssh_take_errors(struct ssh_wait *wait)
{
    uint8_t piece[1024];
    ssize_t n = read(wait->errors, piece, sizeof(piece));

    if (n <= 0 && (n == 0 || (errno != EINTR && errno != EAGAIN))) {
        wait->errors = gb_close(wait->errors);
        return;
    }
    if (n > 0)
        gb_buf_add(&wait->said, piece, (size_t)n);
    if (wait->said.size > ERRORS_MAX) {
        size_t over = wait->said.size - ERRORS_MAX;

        gb_buf_consume(&wait->said, over);
        wait->shown -= MIN(wait->shown, over);
    }
}

/* ssh says on standard error what it waits for if that is not a password, for example a touch on a
 * security key. */
static void ssh_show_errors(struct ssh_wait *wait)
{
    struct gb_bytes rest = {gb_buf_data(&wait->said) + wait->shown, wait->said.size - wait->shown};
    struct gb_buf line = {0};

    wait->shown = wait->said.size;
    gb_ssh_last_line(rest, &line);
    if (line.size > 0) {
        gb_buf_adds(&line, "\n");
        (void)gb_fd_write_full(STDERR_FILENO, gb_buf_data(&line), line.size); /* there is nobody to
                                                                               * report a failure
                                                                               * to */
    }
    gb_buf_release(&line);
}

/* One round of waiting, at most until @deadline_ns. False once that has passed. */
static bool ssh_poll(struct ssh_wait *wait, uint64_t deadline_ns, struct pollfd fds[2])
{
    uint64_t now = gb_clock_mono_ns();
    uint64_t left_ms = now < deadline_ns ? (deadline_ns - now) / GB_NS_PER_MS + 1 : 0;
    bool show = wait->ask && wait->shown < wait->said.size;

    if (left_ms == 0)
        return false;
    if (show)
        left_ms = MIN(left_ms, (uint64_t)SHOW_AFTER_MS);
    fds[0] = (struct pollfd){.fd = wait->stream, .events = POLLIN};
    fds[1] = (struct pollfd){.fd = wait->errors, .events = POLLIN};
    if (poll(fds, 2, (int)left_ms) == 0 && show)
        ssh_show_errors(wait);
    if (wait->errors >= 0 && fds[1].revents != 0)
        ssh_take_errors(wait);
    return true;
}

/* The stream ended before a greeting: ssh's standard error has the reason. */
static int ssh_tell_end(struct ssh_wait *wait, struct gb_err *err)
{
    uint64_t deadline_ns = gb_clock_mono_ns() + LAST_WORDS_MS * GB_NS_PER_MS;
    struct pollfd fds[2];
    struct gb_buf line = {0};
    int r;

    wait->stream = -1; /* no more input from it */
    wait->ask = false;
    while (wait->errors >= 0 && ssh_poll(wait, deadline_ns, fds))
        ;
    gb_ssh_last_line(gb_buf_bytes(&wait->said), &line);
    r = gb_err_set(err, GB_ENOTFOUND, "%s%s",
                   line.size > 0 ? gb_buf_str(&line) : "ssh ended without a reason",
                   strstr(gb_buf_str(&line), "not found") != NULL
                       ? " (there `glassbell` has to be on the PATH of commands that ssh runs)"
                       : "");
    gb_buf_release(&line);
    return r;
}

/* 1: the greeting is complete; 0: not yet. Bytes after it are not ours: they stay in the socket. */
static int ssh_take_greeting(struct ssh_wait *wait, struct gb_err *err)
{
    ssize_t n = recv(wait->stream, wait->line + wait->size, sizeof(wait->line) - wait->size,
                     MSG_PEEK | MSG_DONTWAIT);
    const uint8_t *newline;
    int r;

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (n <= 0)
        return ssh_tell_end(wait, err);
    newline = memchr(wait->line + wait->size, '\n', (size_t)n);
    if (newline != NULL)
        n = newline + 1 - (wait->line + wait->size);
    (void)recv(wait->stream, wait->line + wait->size, (size_t)n, MSG_DONTWAIT); /* already peeked
                                                                                 * at */
    wait->size += (size_t)n;
    if (newline == NULL)
        return wait->size < sizeof(wait->line)
                   ? 0
                   : ssh_no_greeting((struct gb_bytes){wait->line, wait->size}, err);
    r = gb_ssh_read_greeting(wait->line, wait->size - 1, err);
    return r < 0 ? r : 1;
}

static int ssh_wait_greeting(struct ssh_wait *wait, struct gb_err *err)
{
    struct pollfd fds[2];
    int r = 0;

    while (r == 0) {
        if (!ssh_poll(wait, wait->deadline_ns, fds))
            return gb_err_set(err, GB_EBUSY, "it did not answer in time");
        if (fds[0].revents != 0)
            r = ssh_take_greeting(wait, err);
    }
    return MIN(r, 0);
}

static bool ssh_has_terminal(void)
{
    int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

    (void)gb_close(fd);
    return fd >= 0;
}

static int ssh_open(const struct gb_remote *host, const struct gb_ssh_config *config, int *ret_fd,
                    int *ret_errors, struct gb_err *err)
{
    const char *argv[GB_SSH_ARGS_MAX];
    struct gb_buf texts = {0};
    struct ssh_wait wait = {.ask = config->ask && ssh_has_terminal()};
    int stream[2], errors[2], r = gb_socket_pair(stream);

    if (r < 0)
        return gb_err_sys(err, -r, "cannot make a socket pair");
    r = gb_socket_pair(errors);
    if (r < 0) {
        (void)gb_close(stream[0]);
        (void)gb_close(stream[1]);
        return gb_err_sys(err, -r, "cannot make a socket pair");
    }
    wait.stream = stream[0];
    wait.errors = errors[0];
    wait.deadline_ns =
        gb_clock_mono_ns() + (wait.ask ? ASKED_TIMEOUT_MS : config->timeout_ms) * GB_NS_PER_MS;
    gb_ssh_command(host, config, !wait.ask, &texts, argv);
    r = ssh_spawn(argv, stream[1], errors[1], err);
    (void)gb_close(stream[1]);
    (void)gb_close(errors[1]);
    gb_buf_release(&texts);
    if (r == 0)
        r = ssh_wait_greeting(&wait, err);
    gb_buf_release(&wait.said);
    if (r == 0 && (r = gb_fd_set_nonblocking(stream[0], true)) < 0)
        r = gb_err_sys(err, -r, "cannot prepare the connection");
    if (r < 0) {
        (void)gb_close(stream[0]);
        (void)gb_close(wait.errors);
        return r;
    }
    *ret_fd = stream[0];
    *ret_errors = wait.errors;
    return 0;
}

int gb_ssh_open(const struct gb_remote *host, const struct gb_ssh_config *config, int *ret_fd,
                int *ret_errors, struct gb_err *err)
{
    struct gb_err problem = {0};
    struct gb_buf name = {0};
    int r = ssh_open(host, config, ret_fd, ret_errors, &problem);

    if (r < 0) {
        gb_remote_print(&name, host);
        r = gb_err_set(err, problem.code, "no server by %s: %s", gb_buf_str(&name),
                       problem.message);
        gb_buf_release(&name);
    }
    return r;
}

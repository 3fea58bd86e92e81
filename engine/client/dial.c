/* SPDX-License-Identifier: Apache-2.0 */
#include "client/dial.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "client/remote.h"
#include "client/ssh.h"
#include "platform/process.h"
#include "platform/socket.h"
#include "rpc/address.h"

enum { READY_FD = 3, READY_MESSAGE_MAX = 1024, CONNECT_TIMEOUT_S = 10 };

/* False if the path is the default one: then its folder has to be private. */
static bool dial_chosen_by_a_person(const char *option)
{
    const char *variable = getenv("GLASSBELL_SOCKET");

    return (option != NULL && option[0] != '\0') || (variable != NULL && variable[0] != '\0');
}

static char *dial_folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    if (slash == NULL)
        return xstrdup(".");
    return slash == path ? xstrdup("/") : xstrndup(path, (size_t)(slash - path));
}

int gb_socket_check_folder(const char *path, bool make, struct gb_err *err)
{
    _cleanup_(freep) char *folder = dial_folder_of(path);
    struct stat st;

    if (make && mkdir(folder, 0700) < 0 && errno != EEXIST)
        return gb_err_sys(err, errno, "cannot make the folder %s", folder);
    if (lstat(folder, &st) < 0)
        return gb_err_sys(err, errno, "cannot inspect the folder %s", folder);
    if (!S_ISDIR(st.st_mode))
        return gb_err_set(err, GB_EPOLICY, "%s is not a folder, so the socket in it is not trusted",
                          folder);
    if (st.st_uid != getuid())
        return gb_err_set(err, GB_EPOLICY,
                          "%s belongs to another user, so the socket in it is not trusted", folder);
    if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return gb_err_set(err, GB_EPOLICY,
                          "others can write to %s, so the socket in it is not trusted: run "
                          "`chmod 700 %s`",
                          folder, folder);
    return 0;
}

/* 0 with *ret_fd, or -errno. */
static int dial_try_connect(const char *path, int *ret_fd)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval limit = {.tv_sec = CONNECT_TIMEOUT_S};
    _cleanup_(closep) int fd = gb_socket_new(SOCK_STREAM, false);

    if (fd < 0)
        return fd;
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path); /* its length was
                                                                             * checked before */
    /* If the backlog is full, connect() blocks; this limits for how long. */
    if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0)
        return -errno;
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
        return -errno;
    *ret_fd = TAKE_FD(fd);
    return 0;
}

static int dial_check_peer(int fd, const char *path, struct gb_err *err)
{
    struct gb_socket_peer peer;
    int r = gb_socket_peer(fd, &peer);

    if (r < 0)
        return gb_err_sys(err, -r, "cannot tell who listens at %s", path);
    if (peer.uid != getuid())
        return gb_err_set(err, GB_EPOLICY, "the server at %s runs as another user (uid %u)", path,
                          (unsigned)peer.uid);
    return 0;
}

static bool dial_nobody_listens(int r)
{
    return r == -ENOENT || r == -ECONNREFUSED;
}

/* Reads the server's report from the pipe: "ready\n", or an error message. */
static int dial_wait_ready(int fd, uint64_t deadline_ns, struct gb_err *err)
{
    char text[READY_MESSAGE_MAX + 1];
    size_t size = 0;

    for (;;) {
        uint64_t now = gb_clock_mono_ns();
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        ssize_t n;
        int r;

        if (now >= deadline_ns)
            return gb_err_set(err, GB_EBUSY,
                              "the server was started and is not ready yet; look at its log, or "
                              "try again");
        r = poll(&wait, 1, (int)((deadline_ns - now) / GB_NS_PER_MS) + 1);
        if (r < 0 && errno != EINTR)
            return gb_err_sys(err, errno, "cannot wait for the server");
        if (r <= 0)
            continue;
        n = read(fd, text + size, READY_MESSAGE_MAX - size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n > 0)
            size += (size_t)n;
        text[size] = '\0';
        if (strchr(text, '\n') != NULL || n <= 0 || size == READY_MESSAGE_MAX)
            break;
    }
    if (strcmp(text, "ready\n") == 0)
        return 0;
    text[strcspn(text, "\n")] = '\0';
    if (text[0] == '\0')
        return gb_err_set(err, GB_EINTERNAL,
                          "the server ended before it was ready; `glassbell serve --foreground` "
                          "shows why");
    return gb_err_set(err, GB_EINTERNAL, "the server could not start: %s", text);
}

/* Starts `PROGRAM serve --daemon`, which inherits @ready as descriptor READY_FD. */
static int dial_spawn_server(const struct gb_dial_config *config, const char *path, int ready,
                             pid_t *ret_pid, struct gb_err *err)
{
    extern char **environ;
    char number[16];
    const char *argv[] = {"glassbell", "serve",    "--daemon", "--ready-fd",
                          number,      "--socket", path,       NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID;
    sigset_t none, defaults;
    int r;

    (void)snprintf(number, sizeof(number), "%d", READY_FD);
    (void)sigemptyset(&none);
    (void)sigemptyset(&defaults);
    (void)sigaddset(&defaults, SIGPIPE);
    (void)sigaddset(&defaults, SIGINT);
    if (posix_spawn_file_actions_init(&actions) != 0)
        return gb_err_set(err, GB_EINTERNAL, "not enough memory to start the server");
    if (posix_spawnattr_init(&attributes) != 0) {
        (void)posix_spawn_file_actions_destroy(&actions);
        return gb_err_set(err, GB_EINTERNAL, "not enough memory to start the server");
    }
    r = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    if (r == 0)
        r = posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    if (r == 0)
        r = posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    /* Even onto itself: the C library then clears close-on-exec. */
    if (r == 0)
        r = posix_spawn_file_actions_adddup2(&actions, ready, READY_FD);
    if (r == 0)
        r = gb_process_spawn_closed_from(&actions, READY_FD + 1, &flags);
    if (r == 0)
        r = posix_spawnattr_setsigmask(&attributes, &none);
    if (r == 0)
        r = posix_spawnattr_setsigdefault(&attributes, &defaults);
    if (r == 0)
        r = posix_spawnattr_setflags(&attributes, flags);
    if (r == 0)
        r = posix_spawn(ret_pid, config->program, &actions, &attributes,
                        (char *const *)(uintptr_t)argv, environ);
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)posix_spawnattr_destroy(&attributes);
    if (r != 0)
        return gb_err_sys(err, r, "cannot start the server (%s serve)", config->program);
    return 0;
}

static int dial_start_server(const struct gb_dial_config *config, const char *path,
                             struct gb_err *err)
{
    int ends[2], r = gb_socket_pipe(ends);
    pid_t pid = -1;

    if (r < 0)
        return gb_err_sys(err, -r, "cannot make a pipe");
    r = dial_spawn_server(config, path, ends[1], &pid, err);
    (void)gb_close(ends[1]);
    if (r == 0) {
        r = dial_wait_ready(ends[0], gb_clock_mono_ns() + config->timeout_ms * GB_NS_PER_MS, err);
        /* The child exits as soon as it has put the server into the background; do not wait for one
         * that hangs. */
        (void)waitpid(pid, NULL, r == 0 ? 0 : WNOHANG);
    }
    (void)gb_close(ends[0]);
    return r;
}

static int dial_connect_or_start(const struct gb_dial_config *config, const char *path, int *ret_fd,
                                 struct gb_err *err)
{
    _cleanup_(freep) char *lock_path = xasprintf("%s.start", path);
    _cleanup_(closep) int lock = -1;
    int r;

    lock = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (lock < 0)
        return gb_err_sys(err, errno, "cannot open %s", lock_path);
    do
        r = flock(lock, LOCK_EX);
    while (r < 0 && errno == EINTR);
    if (r < 0)
        return gb_err_sys(err, errno, "cannot lock %s", lock_path);
    /* Another client may have started the server while we waited for the lock. */
    r = dial_try_connect(path, ret_fd);
    if (!dial_nobody_listens(r))
        return r < 0 ? gb_err_sys(err, -r, "cannot connect to %s", path) : 0;
    r = dial_start_server(config, path, err);
    if (r < 0)
        return r;
    r = dial_try_connect(path, ret_fd);
    return r < 0 ? gb_err_sys(err, -r, "cannot connect to the server just started at %s", path) : 0;
}

static int dial_host(const struct gb_dial_config *config, struct gb_dialled *ret,
                     struct gb_err *err)
{
    const struct gb_ssh_config ssh = {
        .autostart = config->program != NULL, .ask = config->ask, .timeout_ms = config->timeout_ms};
    struct gb_remote host;
    int r = gb_remote_parse(gb_bytes_str(config->host), &host, err);

    return r < 0 ? r : gb_ssh_open(&host, &ssh, &ret->fd, &ret->errors, err);
}

static int dial_socket(const struct gb_dial_config *config, int *ret_fd, struct gb_err *err)
{
    _cleanup_(freep) char *path = gb_socket_path(config->socket);
    _cleanup_(closep) int fd = -1;
    struct sockaddr_un address;
    bool start = config->program != NULL;
    int r;

    if (strlen(path) >= sizeof(address.sun_path))
        return gb_err_set(err, GB_EINVALID,
                          "the path of the socket is longer than the %zu bytes that a socket "
                          "address holds: %s",
                          sizeof(address.sun_path) - 1, path);
    if (!dial_chosen_by_a_person(config->socket)) {
        r = gb_socket_check_folder(path, start, err);
        if (r == -GB_ENOTFOUND && start)
            return gb_err_set(err, GB_ENOTFOUND,
                              "the folder for %s cannot be made: the folder above it is missing",
                              path);
        if (r == -GB_ENOTFOUND)
            return gb_err_set(err, GB_ENOTFOUND,
                              "no server listens at %s; `glassbell serve` starts one", path);
        if (r < 0)
            return r;
    }
    r = dial_try_connect(path, &fd);
    if (dial_nobody_listens(r) && !start)
        return gb_err_set(err, GB_ENOTFOUND,
                          "no server listens at %s; `glassbell serve` starts one", path);
    if (dial_nobody_listens(r)) {
        r = dial_connect_or_start(config, path, &fd, err);
        if (r < 0)
            return r;
    } else if (r < 0) {
        return gb_err_sys(err, -r, "cannot connect to %s", path);
    }
    r = dial_check_peer(fd, path, err);
    if (r < 0)
        return r;
    r = gb_fd_set_nonblocking(fd, true);
    if (r < 0)
        return gb_err_sys(err, -r, "cannot prepare the connection");
    *ret_fd = TAKE_FD(fd);
    return 0;
}

int gb_dial(const struct gb_dial_config *config, struct gb_dialled *ret, struct gb_err *err)
{
    *ret = (struct gb_dialled){-1, -1};
    if (config->host != NULL)
        return dial_host(config, ret, err);
    return dial_socket(config, &ret->fd, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "edge.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "platform/socket.h"
#include "vm/host.h"

enum {
    COMMAND_MS = 30000,
    READY_MS = 30000, /* it reads files, and makes keys, on a host that may be busy */
    PACKETS_AT_ONCE = 64,
};

extern char **environ;

/* A command that prints the value of a secret. */
struct edge_command {
    struct edge_process *edge;
    struct gb_child *child;
    struct gb_timer *timer;
};

struct edge_process {
    struct gb_loop *loop;
    const struct secret_grant *grants;
    size_t count;
    struct edge_events events;
    void *arg;
    int socket;
    struct gb_watch *watch;
    struct gb_child *child;
    struct gb_timer *late; /* until it is ready */
    struct edge_command commands[GB_EDGE_SECRETS_MAX];
    bool failed;
};

static void edge_fail(struct edge_process *edge, const char *why)
{
    if (edge->failed)
        return;
    edge->failed = true;
    gb_watch_pause(edge->watch, true);
    gb_timer_stop(edge->late);
    gb_child_signal(edge->child, SIGKILL); /* nobody listens to it any more */
    edge->events.failed(edge->arg, why);   /* may free it */
}

static void edge_on_late(void *arg)
{
    edge_fail(arg, "it does not become ready");
}

/* ---- sources of values ---- */

int edge_check_source(const struct gb_secret *secret, struct gb_err *err)
{
    if (secret->source == GB_SECRET_FILE && access(secret->origin, R_OK) < 0)
        return gb_err_set(err, GB_EINVALID, "secret %s: %s cannot be read: %s", secret->name,
                          secret->origin, strerror(errno));
    if (secret->source == GB_SECRET_ENV && getenv(secret->origin) == NULL)
        return gb_err_set(err, GB_EINVALID, "secret %s: the server has no variable %s",
                          secret->name, secret->origin);
    if (secret->trust != NULL && access(secret->trust, R_OK) < 0)
        return gb_err_set(err, GB_EINVALID, "secret %s: %s cannot be read: %s", secret->name,
                          secret->trust, strerror(errno));
    return 0;
}

/* A regular file, open for reading; else -1. */
static int edge_open_file(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat status;

    if (fd >= 0 && (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode)))
        fd = gb_close(fd);
    return fd;
}

static void edge_command_end(struct edge_command *command)
{
    gb_child_free(TAKE_PTR(command->child));
    gb_timer_free(TAKE_PTR(command->timer));
}

static void edge_command_on_exited(void *arg, int status, int signal)
{
    struct edge_command *command = arg;
    size_t index = (size_t)(command - command->edge->commands);

    if (status != 0 || signal != 0)
        gb_warning("secret %s: its command has failed (%s %d)",
                   command->edge->grants[index].secret.name, signal != 0 ? "signal" : "status",
                   signal != 0 ? signal : status);
    edge_command_end(command);
}

static void edge_command_on_late(void *arg)
{
    struct edge_command *command = arg;

    gb_child_signal_group(command->child, SIGKILL);
}

/* Ends what it has started, too. */
static void edge_command_kill(struct edge_command *command)
{
    if (command->child != NULL)
        gb_child_signal_group(command->child, SIGKILL);
    edge_command_end(command);
}

/* The read end of a pipe into which the command prints. */
static int edge_run_command(struct edge_process *edge, size_t index, int pipe[2])
{
    struct edge_command *command = &edge->commands[index];
    char *const argv[] = {(char[]){"sh"}, (char[]){"-c"}, edge->grants[index].secret.origin, NULL};
    const struct gb_child_config config = {.file = "/bin/sh",
                                           .argv = argv,
                                           .env = environ,
                                           .fds = {-1, pipe[1], STDERR_FILENO},
                                           .fd_count = 3,
                                           .new_session = true};
    struct gb_err err = {0};

    edge_command_kill(command); /* of the last time */
    command->edge = edge;
    if (gb_child_start(edge->loop, &config, edge_command_on_exited, command, &command->child,
                       &err) < 0) {
        gb_warning("secret %s: %s", edge->grants[index].secret.name, err.message);
        return -1;
    }
    command->timer = gb_timer_new(edge->loop, edge_command_on_late, command);
    gb_timer_start(command->timer, COMMAND_MS);
    return 0;
}

/* A descriptor from which the value can be read; without a value, it ends at once. -errno. */
static int edge_open_value(struct edge_process *edge, size_t index)
{
    const struct gb_secret *secret = &edge->grants[index].secret;
    int pipe[2], r, fd;

    if (secret->source == GB_SECRET_FILE) {
        fd = edge_open_file(secret->origin);
        if (fd >= 0)
            return fd;
        gb_warning("secret %s: %s cannot be read", secret->name, secret->origin);
    }
    r = gb_socket_pipe(pipe);
    if (r < 0)
        return r;
    if (secret->source == GB_SECRET_ENV) {
        const char *value = getenv(secret->origin);
        size_t size = value == NULL ? 0 : strlen(value);

        /* It always fits into a pipe. */
        if (size <= GB_SECRET_VALUE_MAX)
            (void)gb_fd_write_full(pipe[1], value, size);
    } else if (secret->source == GB_SECRET_COMMAND) {
        (void)edge_run_command(edge, index, pipe);
    }
    (void)gb_close(pipe[1]);
    return pipe[0];
}

/* ---- messages ---- */

static int edge_post(struct edge_process *edge, const struct gb_edge_message *message,
                     const int *fds, size_t count)
{
    _cleanup_(gb_buf_release) struct gb_buf packet = {0};

    gb_edge_encode(message, &packet);
    return gb_edge_send(edge->socket, gb_buf_bytes(&packet), fds, count, false);
}

static void edge_renew(struct edge_process *edge, uint32_t index)
{
    const struct gb_edge_message message = {.kind = GB_EDGE_VALUE, .index = index};
    _cleanup_(closep) int fd = index < edge->count ? edge_open_value(edge, index) : -1;

    if (fd >= 0)
        (void)edge_post(edge, &message, &fd, 1); /* if it fails the edge has ended */
}

static void edge_take(struct edge_process *edge, const struct gb_edge_message *message)
{
    char text[GB_EDGE_TEXT_MAX + 1];

    switch (message->kind) {
    case GB_EDGE_READY:
        gb_timer_stop(edge->late);
        edge->events.ready(edge->arg, message->name);
        break;
    case GB_EDGE_REQUEST:
    case GB_EDGE_REFUSED:
        edge->events.told(edge->arg, message);
        break;
    case GB_EDGE_WANT:
        edge_renew(edge, message->index);
        break;
    case GB_EDGE_FAILED:
        (void)snprintf(text, sizeof(text), "%.*s", (int)MIN(message->name.size, sizeof(text) - 1),
                       (const char *)message->name.data);
        edge_fail(edge, text);
        break;
    default:
        edge_fail(edge, "it sends nonsense");
    }
}

enum edge_next {
    EDGE_TAKEN,
    EDGE_NOTHING, /* for now */
    EDGE_END,
    EDGE_FAILED, /* it may be freed */
};

static enum edge_next edge_take_next(struct edge_process *edge)
{
    uint8_t packet[GB_EDGE_PACKET_MAX];
    int fds[GB_EDGE_FDS_MAX];
    struct gb_edge_message message;
    size_t count;
    ptrdiff_t n = gb_edge_receive(edge->socket, packet, fds, &count);

    for (size_t i = 0; i < count; i++)
        (void)gb_close(fds[i]); /* it has no reason to send any */
    if (n <= 0)
        return n == -EAGAIN ? EDGE_NOTHING : EDGE_END;
    if (gb_edge_decode((struct gb_bytes){packet, (size_t)n}, &message, NULL) < 0 ||
        (message.kind == GB_EDGE_READY && message.name.size == 0)) {
        edge_fail(edge, "it sends nonsense");
        return EDGE_FAILED;
    }
    edge_take(edge, &message);
    if (message.kind == GB_EDGE_FAILED || message.kind < GB_EDGE_READY)
        return EDGE_FAILED;
    return edge->failed ? EDGE_FAILED : EDGE_TAKEN;
}

static void edge_on_message(void *arg)
{
    enum edge_next next = EDGE_TAKEN;

    for (unsigned i = 0; i < PACKETS_AT_ONCE && next == EDGE_TAKEN; i++)
        next = edge_take_next(arg);
    if (next == EDGE_END)
        edge_fail(arg, "it has ended");
}

/* ---- life ---- */

static int edge_send_secret(struct edge_process *edge, size_t index, struct gb_err *err)
{
    const struct secret_grant *grant = &edge->grants[index];
    _cleanup_(gb_buf_release) struct gb_buf hosts = {0};
    int fds[2] = {edge_open_value(edge, index), -1}, r;
    struct gb_edge_message message = {
        .kind = GB_EDGE_SECRET,
        .place = (uint8_t)grant->secret.where,
        .trust = grant->secret.trust != NULL,
        .expires_ms = grant->secret.expires_ms,
        .name = gb_bytes_str(grant->secret.name),
        .placeholder = gb_bytes_str(grant->placeholder),
        .key = gb_bytes_str(grant->secret.key),
    };

    for (size_t i = 0; i < grant->secret.host_count; i++)
        gb_buf_addf(&hosts, "%s\n", grant->secret.hosts[i]);
    message.hosts = gb_buf_bytes(&hosts);
    if (grant->secret.trust != NULL)
        fds[1] = edge_open_file(grant->secret.trust);
    if (fds[0] < 0 || (grant->secret.trust != NULL && fds[1] < 0))
        r = gb_err_set(err, GB_EINVALID, "secret %s: a file cannot be read", grant->secret.name);
    else
        r = edge_post(edge, &message, fds, fds[1] >= 0 ? 2 : 1) == 0
                ? 0
                : gb_err_set(err, GB_EINTERNAL, "glassbell-edge does not listen");
    (void)gb_close(fds[0]);
    (void)gb_close(fds[1]);
    return r;
}

/* The certificates of this host's system, or those that its environment names instead. */
static int edge_open_trust(void)
{
    static const char *const files[] = {"/etc/ssl/certs/ca-certificates.crt",
                                        "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"};
    const char *named = getenv("SSL_CERT_FILE");
    int fd = named == NULL ? -1 : edge_open_file(named);

    for (size_t i = 0; i < ARRAY_SIZE(files) && fd < 0; i++)
        fd = edge_open_file(files[i]);
    return fd;
}

static int edge_send_all(struct edge_process *edge, const struct edge_work *work,
                         struct gb_err *err)
{
    const struct gb_edge_message inherit = {.kind = GB_EDGE_HERITAGE};
    const struct gb_edge_message start = {.kind = GB_EDGE_START, .hosts = work->inspected};
    _cleanup_(closep) int trust = -1;
    int r = 0;

    for (size_t i = 0; i < edge->count && r == 0; i++)
        r = edge_send_secret(edge, i, err);
    if (r < 0)
        return r;
    trust = edge_open_trust();
    return (work->heritage < 0 || edge_post(edge, &inherit, &work->heritage, 1) == 0) &&
                   edge_post(edge, &start, &trust, trust >= 0 ? 1 : 0) == 0
               ? 0
               : gb_err_set(err, GB_EINTERNAL, "glassbell-edge does not listen");
}

static void edge_on_exited(void *arg, int status, int signal)
{
    struct edge_process *edge = arg;
    enum edge_next next;

    if (edge->failed)
        return;
    /* What it has said before, above all why it ends, may not have been read yet. */
    while ((next = edge_take_next(edge)) == EDGE_TAKEN)
        ;
    if (next == EDGE_FAILED)
        return;
    gb_warning("glassbell-edge has ended: status %d, signal %d", status, signal);
    edge_fail(edge, "it has ended");
}

/* It is beside the launcher. Gives. */
static char *edge_program(const struct gb_host *host)
{
    const char *slash = strrchr(host->launcher, '/');

    return xasprintf("%.*sglassbell-edge", slash == NULL ? 0 : (int)(slash - host->launcher + 1),
                     host->launcher);
}

static int edge_spawn(struct edge_process *edge, const struct gb_host *host, int socket,
                      struct gb_err *err)
{
    _cleanup_(freep) char *program = edge_program(host);
    char *const argv[] = {program, NULL};
    const struct gb_child_config config = {
        .file = program, .argv = argv, .fds = {-1, -1, -1, socket}, .fd_count = 4};

    return gb_child_start(edge->loop, &config, edge_on_exited, edge, &edge->child, err);
}

int edge_start(struct gb_loop *loop, const struct gb_host *host, const struct edge_work *work,
               const struct edge_events *events, void *arg, struct edge_process **ret_edge,
               struct gb_err *err)
{
    struct edge_process *edge = xcalloc(1, sizeof(*edge));
    int sockets[2] = {-1, -1};
    int r = gb_socket_packet_pair(sockets);

    *edge = (struct edge_process){.loop = loop,
                                  .grants = work->grants,
                                  .count = work->count,
                                  .events = *events,
                                  .arg = arg,
                                  .socket = sockets[0]};
    if (r < 0)
        r = gb_err_sys(err, -r, "no socket for glassbell-edge");
    if (r == 0)
        r = edge_spawn(edge, host, sockets[1], err);
    (void)gb_close(sockets[1]);
    edge->late = gb_timer_new(loop, edge_on_late, edge);
    if (r == 0)
        edge->watch = gb_watch_new(loop, edge->socket, edge_on_message, edge);
    if (r == 0)
        r = edge_send_all(edge, work, err);
    if (r < 0) {
        edge_free(edge);
        return r;
    }
    gb_timer_start(edge->late, READY_MS);
    *ret_edge = edge;
    return 0;
}

int edge_share(struct edge_process *edge)
{
    const struct gb_edge_message share = {.kind = GB_EDGE_SHARE};
    int pipe[2];
    bool good;

    if (edge->failed || gb_socket_pipe(pipe) < 0)
        return -1;
    good = edge_post(edge, &share, &pipe[1], 1) == 0;
    (void)gb_close(pipe[1]);
    return good ? pipe[0] : gb_close(pipe[0]);
}

int edge_connect(struct edge_process *edge, const struct gb_edge_message *connect, int socket)
{
    int pair[2], r;

    if (edge->failed)
        return -EPIPE;
    r = gb_socket_pair(pair);
    if (r < 0)
        return r;
    r = edge_post(edge, connect, (int[]){pair[1], socket}, 2);
    (void)gb_close(pair[1]);
    if (r == 0)
        return pair[0];
    (void)gb_close(pair[0]);
    return r;
}

void edge_free(struct edge_process *edge)
{
    if (edge == NULL)
        return;
    for (size_t i = 0; i < edge->count; i++)
        edge_command_kill(&edge->commands[i]);
    if (edge->child != NULL)
        gb_child_signal(edge->child, SIGKILL);
    gb_child_free(edge->child);
    gb_timer_free(edge->late);
    gb_watch_free(edge->watch);
    (void)gb_close(edge->socket);
    free(edge);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "server.h"

#include <assert.h>
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "rpc/address.h"
#include "server/internal.h"

enum { ACCEPTS_A_TURN = 16, ACCEPT_RETRY_MS = 1000, BIG_BLOCK = 256 * 1024 };

static void on_drain_limit(void *arg)
{
    gb_server_shutdown(arg, false, 0);
}

static void on_idle(void *arg)
{
    struct gb_server *server = arg;

    gb_info("nobody needs this server any more");
    gb_server_shutdown(server, false, 0);
}

/* Starts or stops the time after which a server that nobody needs ends itself. */
static void watch_idleness(struct gb_server *server)
{
    bool idle = server->state == SERVER_OPEN && server->connection_count == 0 &&
                gb_list_empty(&server->sessions);

    if (!idle || server->settings.server.idle_exit_ms == 0)
        gb_timer_stop(server->idle_timer);
    else if (!gb_timer_active(server->idle_timer))
        gb_timer_start(server->idle_timer, server->settings.server.idle_exit_ms);
}

static void on_accept_retry(void *arg)
{
    struct gb_server *server = arg;

    if (server->watch != NULL)
        gb_watch_pause(server->watch, false);
}

struct gb_server *gb_server_new(struct gb_loop *loop, struct gb_host *host,
                                const struct gb_server_config *config)
{
    struct gb_server *server = xcalloc(1, sizeof(*server));

    /* Replies of many MiB come and go: each big block is its own mapping, so that what is freed
     * goes back to the system. Left alone, malloc raises the threshold with the first big block. */
    (void)mallopt(M_MMAP_THRESHOLD, BIG_BLOCK);
    server->loop = loop;
    server->host = host;
    server->ended = config->ended;
    server->arg = config->arg;
    server->path = gb_socket_path(config->socket);
    server->state_folder = config->state == NULL ? NULL : xstrdup(config->state);
    server->lock_fd = server->fd = -1;
    server->handed_fd = config->listen_fd > 0 ? config->listen_fd : -1;
    server->accept_timer = gb_timer_new(loop, on_accept_retry, server);
    server->drain_timer = gb_timer_new(loop, on_drain_limit, server);
    server->idle_timer = gb_timer_new(loop, on_idle, server);
    if (config->settings != NULL) {
        server->settings = *config->settings;
        *config->settings = (struct gb_settings){0};
    } else {
        gb_settings_init(&server->settings);
    }
    room_open(server);
    server->started_ns = gb_clock_mono_ns();
    gb_list_init(&server->connections);
    gb_list_init(&server->sessions);
    gb_list_init(&server->shutdowns);
    events_init(server);
    figures_init(server);
    part_layout(server, gb_server_parts);
    PART_CALL(server, server_new, server);
    dispatch_init(server);
    return server;
}

static void on_setting(void *arg, const char *option, bool applied)
{
    (void)arg;
    gb_info("settings: %s %s", option,
            applied ? "has changed" : "has changed, and waits for the next start");
}

void gb_server_reload(struct gb_server *server, struct gb_settings *fresh)
{
    gb_settings_reload(&server->settings, fresh, on_setting, NULL);
    gb_info("settings: read again from %s",
            server->settings.path != NULL ? server->settings.path : "nowhere: there is no file");
    gb_room_configure(server->room, &server->settings);
    gb_timer_stop(server->idle_timer); /* its time may be another one */
    watch_idleness(server);
}

const struct gb_settings *gb_server_settings(const struct gb_server *server)
{
    return &server->settings;
}

static void refuse(struct gb_server *server, int fd)
{
    static const char line[] =
        "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32003,\"message\":\"too many "
        "clients "
        "are connected\",\"data\":{\"kind\":\"busy\",\"dispatched\":false,\"retryable\":true}}}\n";

    gb_warning("a client was refused: %zu are connected", server->connection_count);
    (void)send(fd, line, sizeof(line) - 1, MSG_NOSIGNAL | MSG_DONTWAIT); /* as well as it goes */
}

static void on_clients(void *arg)
{
    struct gb_server *server = arg;

    for (int i = 0; i < ACCEPTS_A_TURN; i++) {
        _cleanup_(closep) int fd = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        pid_t pid = 0;

        if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM)) {
            gb_warning("no descriptors are left: clients have to wait");
            gb_watch_pause(server->watch, true);
            gb_timer_start(server->accept_timer, ACCEPT_RETRY_MS);
        }
        if (fd < 0)
            return;
        if (!listen_trusted(fd, &pid))
            continue;
        if (server->connection_count >= GB_CONNECTIONS_MAX)
            refuse(server, fd);
        else
            connection_new(server, TAKE_FD(fd), pid);
        watch_idleness(server);
    }
}

int gb_server_listen(struct gb_server *server, struct gb_err *err)
{
    int r = listen_open(server->path, server->handed_fd, &server->lock_fd, &server->fd, err);

    if (r == 0)
        r = history_open(server, err);
    if (r < 0)
        return r;
    server->state = SERVER_OPEN;
    server->watch = gb_watch_new(server->loop, server->fd, on_clients, server);
    watch_idleness(server);
    gb_room_begin(server->room, &server->settings);
    return 0;
}

const char *gb_server_socket(const struct gb_server *server)
{
    return server->path;
}

int server_check_open(const struct gb_server *server, struct gb_err *err)
{
    if (server->state == SERVER_OPEN)
        return 0;
    return gb_err_set(err, GB_EBUSY, "the server is shutting down");
}

static void stop_listening(struct gb_server *server)
{
    if (server->fd < 0)
        return;
    gb_watch_free(TAKE_PTR(server->watch));
    gb_timer_stop(server->accept_timer);
    if (server->handed_fd < 0)
        (void)unlink(server->path); /* the lock is ours, and so is the file */
    server->fd = gb_close(server->fd);
}

static void begin_closing(struct gb_server *server)
{
    struct hosted *hosted;

    server->state = SERVER_CLOSING;
    gb_timer_stop(server->drain_timer);
    stop_listening(server);
    gb_room_stop(server->room);
    GB_LIST_FOREACH(hosted, &server->sessions, link)
        hosted_close(hosted, "closed", "the server is shutting down");
}

static void finish(struct gb_server *server)
{
    struct connection *connection;
    struct gb_list *link;

    server->state = SERVER_ENDED;
    while ((link = gb_list_pop(&server->shutdowns)) != NULL)
        request_ok(container_of(link, struct request, wait));
    GB_LIST_FOREACH(connection, &server->connections, link)
        connection_close(connection);
    if (server->ended != NULL)
        server->ended(server->arg);
}

/* From the loop: one step of the shutdown when its time has come. */
static void on_progress(void *arg)
{
    struct gb_server *server = arg;

    if (server->state == SERVER_DRAINING && server->exec_count == 0)
        begin_closing(server);
    if (server->state == SERVER_CLOSING && gb_list_empty(&server->sessions))
        finish(server);
}

void server_progress(struct gb_server *server)
{
    watch_idleness(server);
    if (server->state == SERVER_DRAINING || server->state == SERVER_CLOSING)
        gb_loop_defer(server->loop, &server->progress, on_progress, server);
    else if (server->state == SERVER_OPEN && gb_timer_active(server->accept_timer))
        gb_timer_start(server->accept_timer, 0);
}

void gb_server_shutdown(struct gb_server *server, bool drain, uint64_t limit_ms)
{
    if (server->state == SERVER_ENDED || server->state == SERVER_CLOSING)
        return;
    if (!drain) {
        begin_closing(server);
    } else {
        server->state = SERVER_DRAINING;
        if (limit_ms > 0)
            gb_timer_start(server->drain_timer, limit_ms);
    }
    server_progress(server);
}

void handle_shutdown(struct request *request, const struct gb_params *params)
{
    struct gb_server *server = request->connection->server;

    gb_list_add_tail(&server->shutdowns, &request->wait);
    gb_server_shutdown(server, params->drain, 0);
}

void gb_server_free(struct gb_server *server)
{
    if (server == NULL)
        return;
    assert(gb_list_empty(&server->sessions) && gb_list_empty(&server->connections));
    stop_listening(server);
    gb_loop_undefer(&server->progress);
    gb_timer_free(server->accept_timer);
    gb_timer_free(server->drain_timer);
    gb_timer_free(server->idle_timer);
    PART_CALL(server, server_free, server);
    free(server->part_state);
    figures_release(server);
    events_release(server);
    gb_room_free(server->room, NULL, NULL);
    for (size_t i = 0; i < GB_TOMBSTONES_MAX; i++) {
        free(server->tombstones[i].id);
        free(server->tombstones[i].key);
    }
    (void)gb_close(server->lock_fd);
    gb_settings_release(&server->settings);
    gb_journal_close(server->journal);
    free(server->state_folder);
    free(server->path);
    free(server);
}

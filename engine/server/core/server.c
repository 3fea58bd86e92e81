/* SPDX-License-Identifier: Apache-2.0 */
#include "server.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "platform/process.h"
#include "platform/socket.h"
#include "rpc/address.h"
#include "server/core/connection.h"
#include "server/core/dispatch.h"
#include "server/core/hosted.h"
#include "server/core/listen.h"
#include "server/core/request.h"
#include "server/core/sample.h"
#include "server/core/sessions.h"
#include "server/core/state.h"

enum { ACCEPTS_A_TURN = 16, ACCEPT_RETRY_MS = 1000, BIG_BLOCK = 256 * 1024, SAVING_MAX_MS = 10000 };

/* Starts or stops the timer after which an unused server ends itself. */
static void server_watch_idleness(struct gb_server *server)
{
    bool idle = server->state == SERVER_OPEN && server->connection_count == 0 &&
                gb_list_empty(&server->sessions);

    if (!idle || server->settings.server.idle_exit_ms == 0)
        gb_timer_stop(server->idle_timer);
    else if (!gb_timer_active(server->idle_timer))
        gb_timer_start(server->idle_timer, server->settings.server.idle_exit_ms);
}

static void server_on_accept_retry(void *arg)
{
    struct gb_server *server = arg;

    if (server->watch != NULL)
        gb_watch_pause(server->watch, false);
}

static void server_on_setting(void *arg, const char *option, bool applied)
{
    (void)arg;
    gb_info("settings: %s %s", option,
            applied ? "has changed" : "has changed, and waits for the next start");
}

void gb_server_reload(struct gb_server *server, struct gb_settings *fresh)
{
    gb_settings_reload(&server->settings, fresh, server_on_setting, NULL);
    gb_info("settings: read again from %s",
            server->settings.path != NULL ? server->settings.path : "nowhere: there is no file");
    gb_capacity_configure(server->capacity, &server->settings);
    gb_timer_stop(server->idle_timer); /* the time may have changed */
    server_watch_idleness(server);
}

const struct gb_settings *gb_server_settings(const struct gb_server *server)
{
    return &server->settings;
}

static void server_refuse(struct gb_server *server, int fd)
{
    static const char line[] =
        "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32003,\"message\":\"too many "
        "clients "
        "are connected\",\"data\":{\"kind\":\"busy\",\"dispatched\":false,\"retryable\":true}}}\n";

    gb_warning("a client was refused: %zu are connected", server->connection_count);
    (void)gb_socket_send(fd, line, sizeof(line) - 1); /* best effort */
}

static void server_on_clients(void *arg)
{
    struct gb_server *server = arg;

    for (int i = 0; i < ACCEPTS_A_TURN; i++) {
        _cleanup_(closep) int fd = gb_socket_accept(server->fd);
        pid_t pid = 0;

        if (fd == -EMFILE || fd == -ENFILE || fd == -ENOMEM) {
            gb_warning("no descriptors are left: clients have to wait");
            gb_watch_pause(server->watch, true);
            gb_timer_start(server->accept_timer, ACCEPT_RETRY_MS);
        }
        if (fd < 0)
            return;
        if (!listen_trusted(fd, &pid))
            continue;
        if (server->connection_count >= GB_CONNECTIONS_MAX)
            server_refuse(server, fd);
        else
            connection_new(server, TAKE_FD(fd), pid, false);
        server_watch_idleness(server);
    }
}

static int server_start_parts(struct gb_server *server, struct gb_err *err)
{
    const struct gb_part *const *at;
    int r = 0;

    PART_FOREACH(at, server, server_start) {
        if (r == 0)
            r = (*at)->server_start(server, err);
    }
    return r;
}

void server_prepare(struct gb_server *server, bool on)
{
    struct connection *connection;

    server->is_preparing = on;
    if (server->watch != NULL)
        gb_watch_pause(server->watch, on);
    /* Those of this process, which nothing has been read from. */
    GB_LIST_FOREACH(connection, &server->connections, link)
        connection_brake(connection, on);
}

int gb_server_start(struct gb_server *server, struct gb_err *err)
{
    int r = server_start_parts(server, err);

    if (r < 0)
        return r;
    server->state = SERVER_OPEN;
    server_watch_idleness(server);
    gb_capacity_begin(server->capacity, &server->settings);
    return 0;
}

int gb_server_listen(struct gb_server *server, struct gb_err *err)
{
    int r = listen_open(server->path, server->handed_fd, &server->lock_fd, &server->fd, err);

    gb_process_return_blocks(BIG_BLOCK); /* replies of many MiB come and go */
    if (r == 0)
        r = gb_server_start(server, err);
    if (r < 0)
        return r;
    server->watch = gb_watch_new(server->loop, server->fd, server_on_clients, server);
    gb_watch_pause(server->watch, server->is_preparing);
    return 0;
}

int gb_server_connect(struct gb_server *server, int *ret_fd, struct gb_err *err)
{
    int fds[2];
    int r = gb_socket_pair(fds);

    if (r < 0)
        return gb_err_sys(err, -r, "cannot connect to the server");
    connection_new(server, fds[0], getpid(), true);
    server_watch_idleness(server);
    *ret_fd = fds[1];
    return 0;
}

const char *gb_server_socket(const struct gb_server *server)
{
    return server->path;
}

static void server_stop_listening(struct gb_server *server)
{
    if (server->fd < 0)
        return;
    gb_watch_free(TAKE_PTR(server->watch));
    gb_timer_stop(server->accept_timer);
    if (server->handed_fd < 0)
        (void)unlink(server->path); /* we hold the lock, so the file is ours */
    server->fd = gb_close(server->fd);
}

static void server_begin_closing(struct gb_server *server)
{
    struct hosted *hosted;

    server->state = SERVER_CLOSING;
    gb_timer_stop(server->drain_timer);
    server_stop_listening(server);
    gb_capacity_stop(server->capacity);
    GB_LIST_FOREACH(hosted, &server->sessions, link) {
        hosted->left = hosted->left ||
                       (!hosted->closing && gb_session_state(hosted->session) != GB_SESSION_CLOSED);
        hosted_close(hosted, GB_END_CLOSED, "the server is shutting down");
    }
}

/* Parts may first save what is to outlive the server. */
static void server_begin_saving(struct gb_server *server)
{
    const struct gb_part *const *part;

    server->state = SERVER_SAVING;
    PART_FOREACH(part, server, server_ending)
        if ((*part)->server_ending(server))
            server->savers++;
    if (server->savers == 0)
        server_begin_closing(server);
    else
        gb_timer_start(server->drain_timer, SAVING_MAX_MS);
}

static void server_finish(struct gb_server *server)
{
    struct connection *connection;
    struct gb_list *link;

    server->state = SERVER_ENDED;
    while ((link = gb_list_pop(&server->shutdowns)) != NULL)
        request_ok(container_of(link, struct request, wait));
    GB_LIST_FOREACH(connection, &server->connections, link)
        connection_close(connection);
    if (server->on_ended != NULL)
        server->on_ended(server->arg);
}

/* From the loop: the next step of the shutdown, if it is due. */
static void server_on_progress(void *arg)
{
    struct gb_server *server = arg;

    if (server->state == SERVER_DRAINING && server->cell_count == 0)
        server_begin_saving(server);
    if (server->state == SERVER_SAVING && server->savers == 0)
        server_begin_closing(server);
    if (server->state == SERVER_CLOSING && gb_list_empty(&server->sessions))
        server_finish(server);
}

static void server_on_changed(struct gb_server *server)
{
    server_watch_idleness(server);
    if (server->state == SERVER_DRAINING || server->state == SERVER_SAVING ||
        server->state == SERVER_CLOSING)
        gb_loop_defer(server->loop, &server->progress, server_on_progress, server);
    else if (server->state == SERVER_OPEN && gb_timer_active(server->accept_timer))
        gb_timer_start(server->accept_timer, 0);
}

void gb_server_shutdown(struct gb_server *server, bool drain, uint64_t limit_ms)
{
    if (server->state == SERVER_ENDED || server->state == SERVER_CLOSING)
        return;
    if (server->state == SERVER_SAVING && !drain) {
        server_begin_closing(server); /* it was asked for again, or takes too long */
    } else if (!drain) {
        server_begin_saving(server);
    } else if (server->state != SERVER_SAVING) {
        server->state = SERVER_DRAINING;
        if (limit_ms > 0)
            gb_timer_start(server->drain_timer, limit_ms);
    }
    server_on_changed(server);
}

static void server_handle_shutdown(struct request *request, const struct gb_params *params)
{
    struct gb_server *server = request->connection->server;

    gb_list_add_tail(&server->shutdowns, &request->wait);
    gb_server_shutdown(server, params->drain, 0);
}

/* ---- the server ---- */

static void server_on_drain_limit(void *arg)
{
    gb_server_shutdown(arg, false, 0);
}

static void server_on_idle(void *arg)
{
    struct gb_server *server = arg;

    gb_info("nobody needs this server any more");
    gb_server_shutdown(server, false, 0);
}

static void server_on_pool(void *arg)
{
    struct gb_server *server = arg;

    PART_CALL(server, pool_changed, server);
}

static void server_add_parts(struct gb_server *server, const struct gb_part *const *parts)
{
    static const struct method_handler own[] = {
        {"server.shutdown", server_handle_shutdown},
        {NULL, NULL},
    };
    const struct gb_part *const *at;

    dispatch_add(server, sessions_methods);
    dispatch_add(server, own);
    part_layout(server, parts);
    PART_FOREACH(at, server, methods) {
        dispatch_add(server, (*at)->methods);
    }
    PART_CALL(server, server_new, server);
}

struct gb_server *gb_server_new(struct gb_loop *loop, struct gb_host *host,
                                const struct gb_server_config *config)
{
    struct gb_server *server = xcalloc(1, sizeof(*server));

    server->loop = loop;
    server->host = host;
    server->on_ended = config->ended;
    server->arg = config->arg;
    server->path = gb_socket_path(config->socket);
    server->state_folder = config->state == NULL ? NULL : xstrdup(config->state);
    server->cast_folder = config->casts == NULL ? NULL : xstrdup(config->casts);
    server->past_folder = config->past == NULL ? NULL : xstrdup(config->past);
    server->lock_fd = server->fd = -1;
    server->handed_fd = config->listen_fd > 0 ? config->listen_fd : -1;
    server->accept_timer = gb_timer_new(loop, server_on_accept_retry, server);
    server->drain_timer = gb_timer_new(loop, server_on_drain_limit, server);
    server->idle_timer = gb_timer_new(loop, server_on_idle, server);
    if (config->settings != NULL) {
        server->settings = *config->settings;
        *config->settings = (struct gb_settings){0};
    } else {
        gb_settings_init(&server->settings);
    }
    server->capacity = gb_capacity_new(host, &server->settings, server_on_pool, server);
    server->started_ns = gb_clock_mono_ns();
    gb_list_init(&server->connections);
    gb_list_init(&server->sessions);
    gb_list_init(&server->shutdowns);
    server->on_changed = server_on_changed;
    server->connection_handlers = &dispatch_handlers;
    sample_init(server);
    server_add_parts(server, config->parts);
    return server;
}

void gb_server_free_then(struct gb_server *server, void (*freed)(void *arg), void *arg)
{
    assert(gb_list_empty(&server->sessions) && gb_list_empty(&server->connections));
    server_stop_listening(server);
    gb_loop_undefer(&server->progress);
    gb_timer_free(server->accept_timer);
    gb_timer_free(server->drain_timer);
    gb_timer_free(server->idle_timer);
    PART_CALL(server, server_free, server);
    free(server->part_memory);
    sample_release(server);
    gb_capacity_free(server->capacity, freed, arg);
    ended_release(&server->ended);
    (void)gb_close(server->lock_fd);
    gb_settings_release(&server->settings);
    free(server->state_folder);
    free(server->past_folder);
    free(server->cast_folder);
    free(server->path);
    free(server);
}

void gb_server_free(struct gb_server *server)
{
    if (server != NULL)
        gb_server_free_then(server, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "terminal.h"

#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "model/session.h"
#include "rpc/object.h"
#include "server/core/open.h"
#include "server/core/part.h"
#include "server/core/state.h"
#include "server/terminal/screen.h"

enum { SCREENS_ENDED_MAX = 16 /* per session, whose last screens are kept */ };

struct terminal_server {
    struct backlog backlog;
    struct recording_folder recordings;
};

struct terminal_session {
    struct gb_list screens; /* by number */
    uint32_t numbered;
};

struct terminal_connection {
    struct gb_list viewers;
};

static const struct part_state terminal_sizes = {
    .server = sizeof(struct terminal_server),
    .session = sizeof(struct terminal_session),
    .connection = sizeof(struct terminal_connection),
};

static struct terminal_session *terminals_of_session(struct hosted *hosted)
{
    return part_of_session(hosted, &terminal_sizes);
}

static struct terminal_connection *terminals_of_connection(struct connection *connection)
{
    return part_of_connection(connection, &terminal_sizes);
}

/* ---- the server ---- */

static struct terminal_server *terminals_of_server(const struct gb_server *server)
{
    return part_of_server(server, &terminal_sizes);
}

static void terminal_on_server(struct gb_server *server)
{
    struct terminal_server *state = terminals_of_server(server);

    backlog_init(&state->backlog, server->loop);
    recording_folder_open(&state->recordings, server->loop, NULL, NULL);
}

static int terminal_on_server_start(struct gb_server *server, struct gb_err *err)
{
    (void)err; /* the server works without recordings */
    recording_folder_open(&terminals_of_server(server)->recordings, server->loop,
                          server->cast_folder, &server->settings.terminals);
    return 0;
}

static void terminal_on_server_end(struct gb_server *server)
{
    struct terminal_server *state = terminals_of_server(server);

    backlog_release(&state->backlog);
    recording_folder_close(&state->recordings);
}

/* ---- connections ---- */

static void terminal_on_connection(struct connection *connection)
{
    gb_list_init(&terminals_of_connection(connection)->viewers);
}

/* Its programs continue. */
static void terminal_on_disconnect(struct connection *connection)
{
    struct gb_list *viewers = &terminals_of_connection(connection)->viewers;

    while (!gb_list_empty(viewers)) {
        struct viewer *viewer = container_of(viewers->next, struct viewer, of_connection);
        const struct screen *screen = viewer->screen;

        viewer_free(viewer);
        screen_tell(screen, "terminal.changed");
    }
}

static void terminal_on_sent(struct connection *connection)
{
    struct viewer *viewer;

    GB_LIST_FOREACH(viewer, &terminals_of_connection(connection)->viewers, of_connection) {
        if (viewer->due)
            viewer_paint(viewer);
    }
}

/* ---- sessions ---- */

static void terminal_on_session(struct hosted *hosted)
{
    gb_list_init(&terminals_of_session(hosted)->screens);
}

static void terminal_on_session_end(struct hosted *hosted, const struct gb_err *why)
{
    struct gb_list *screens = &terminals_of_session(hosted)->screens;

    while (!gb_list_empty(screens))
        screen_free(container_of(screens->next, struct screen, link), why);
}

/* Removes the oldest ended ones to make room. */
static void terminal_on_screen_end(struct screen *screen)
{
    struct gb_list *screens = &terminals_of_session(screen->hosted)->screens;
    struct screen *other, *oldest = NULL;
    unsigned ended = 0;

    GB_LIST_FOREACH(other, screens, link) {
        if (other->state != SCREEN_ENDED)
            continue;
        oldest = oldest == NULL ? other : oldest;
        ended++;
    }
    if (ended > SCREENS_ENDED_MAX)
        screen_free(oldest, NULL);
}

static struct screen *terminal_find(struct hosted *hosted, int64_t number, struct gb_err *err)
{
    struct screen *screen;

    GB_LIST_FOREACH(screen, &terminals_of_session(hosted)->screens, link) {
        if (screen->number == number && screen->state != SCREEN_STARTING)
            return screen;
    }
    (void)gb_err_set(err, GB_ENOTFOUND, "there is no terminal %lld in this session",
                     (long long)number);
    return NULL;
}

/* ---- descriptions for clients ---- */

static unsigned terminals_running(struct hosted *hosted)
{
    const struct screen *screen;
    unsigned running = 0;

    GB_LIST_FOREACH_CONST(screen, &terminals_of_session(hosted)->screens, link)
        running += screen->state != SCREEN_ENDED;
    return running;
}

static void terminal_describe_session(struct gb_session_info *info, struct hosted *hosted)
{
    info->terminals = terminals_running(hosted);
}

/* ---- methods ---- */

static int terminal_read_argv(const struct gb_json *args, struct gb_buf *argv, struct gb_err *err)
{
    const struct gb_json *child = args == NULL ? NULL : gb_json_first(args);

    for (uint32_t i = 0; args != NULL && i < args->count; i++, child = gb_json_next(child)) {
        if (memchr(child->text.data, '\0', child->text.size) != NULL)
            return gb_err_set(err, GB_EINVALID, "an argument must not contain a NUL");
        if (i == 0 && child->text.size == 0)
            return gb_err_set(err, GB_EINVALID, "the program has no name");
        if (!gb_buf_try_add(argv, child->text.data, child->text.size, GB_ARGV_BYTES_MAX) ||
            !gb_buf_try_add(argv, "", 1, GB_ARGV_BYTES_MAX))
            return gb_err_set(err, GB_ETOOLARGE, "the arguments take more than %u bytes",
                              GB_ARGV_BYTES_MAX);
    }
    return 0;
}

static int terminal_start(struct request *request, struct hosted *hosted,
                          const struct gb_params *params, struct screen **ret_screen,
                          struct gb_err *err)
{
    _cleanup_(gb_env_release) struct gb_env env = {0};
    _cleanup_(gb_buf_release) struct gb_buf argv = {0}, encoded = {0};
    struct terminal_session *state = terminals_of_session(hosted);
    struct gb_terminal_config config = {.rows = (uint32_t)params->rows,
                                        .columns = (uint32_t)params->columns};
    int r = server_check_open(request->connection->server, err);

    if (r == 0 && terminals_running(hosted) >= GB_TERMINALS_MAX)
        r = gb_err_set(err, GB_EBUSY, "%u programs are at terminals in this session already",
                       GB_TERMINALS_MAX);
    if (r == 0)
        r = open_env(request->connection->server, params->env, &env, err);
    if (r == 0)
        r = terminal_read_argv(params->args, &argv, err);
    if (r < 0)
        return r;
    for (size_t i = 0; i < env.count; i++)
        gb_pairs_add(&encoded, &config.env.count, gb_bytes_str(env.names[i]),
                     gb_bytes_str(env.values[i]));
    config.env.encoded = gb_buf_bytes(&encoded);
    config.argv = gb_buf_bytes(&argv);
    r = screen_start(request, hosted, state->numbered + 1, &config, ret_screen, err);
    if (r == 0)
        state->numbered++;
    return r;
}

static struct viewer *terminal_attach(struct screen *screen, struct connection *connection,
                                      const struct gb_params *params, bool types)
{
    struct viewer *viewer =
        viewer_new(screen, connection, (unsigned)params->rows, (unsigned)params->columns, types);

    gb_list_add_tail(&terminals_of_connection(connection)->viewers, &viewer->of_connection);
    return viewer;
}

static void terminal_handle_open(struct request *request, const struct gb_params *params)
{
    struct connection *connection = request->connection;
    struct gb_err err = {0};
    struct hosted *hosted = hosted_find(connection->server, params->session, &err);
    const struct gate *gate = hosted == NULL ? NULL : part_shut_gate(hosted, connection);
    struct screen *screen;

    if (gate != NULL) {
        gate->refuse(request, hosted);
        return;
    }
    if (hosted == NULL || terminal_start(request, hosted, params, &screen, &err) < 0) {
        request_fail(request, &err);
        return;
    }
    screen->ended = terminal_on_screen_end;
    screen->backlog = &terminals_of_server(connection->server)->backlog;
    screen->recordings = &terminals_of_server(connection->server)->recordings;
    gb_list_add_tail(&terminals_of_session(hosted)->screens, &screen->link);
    (void)terminal_attach(screen, connection, params, true);
}

/* The terminal of a request; NULL: it was answered. */
static struct screen *terminal_asked(struct request *request, const struct gb_params *params,
                                     struct hosted **ret_hosted)
{
    struct gb_err err = {0};
    struct hosted *hosted = hosted_find(request->connection->server, params->session, &err);
    struct screen *screen = hosted == NULL ? NULL : terminal_find(hosted, params->terminal, &err);

    if (screen == NULL)
        request_fail(request, &err);
    if (ret_hosted != NULL)
        *ret_hosted = hosted;
    return screen;
}

static void terminal_handle_attach(struct request *request, const struct gb_params *params)
{
    struct connection *connection = request->connection;
    struct hosted *hosted;
    struct screen *screen = terminal_asked(request, params, &hosted);
    const struct gate *gate;
    struct viewer *viewer;
    struct gb_err err = {0};

    if (screen == NULL)
        return;
    gate = params->watch ? NULL : part_shut_gate(hosted, connection);
    if (gate != NULL) {
        gate->refuse(request, hosted);
        return;
    }
    viewer = viewer_find(screen, connection);
    if (viewer != NULL)
        viewer_free(viewer);
    if (gb_list_count(&screen->viewers) >= SCREEN_VIEWERS_MAX) {
        (void)gb_err_set(&err, GB_EBUSY, "%d clients watch this terminal already",
                         SCREEN_VIEWERS_MAX);
        request_fail(request, &err);
        return;
    }
    request_ok(request);
    viewer = terminal_attach(screen, connection, params, !params->watch);
    if (screen->told) {
        screen_show_end(viewer);
    } else {
        viewer_paint(viewer);
        screen_tell(screen, "terminal.changed");
    }
}

static void terminal_handle_input(struct request *request, const struct gb_params *params)
{
    struct connection *connection = request->connection;
    struct hosted *hosted;
    struct screen *screen = terminal_asked(request, params, &hosted);
    const struct gate *gate = screen == NULL ? NULL : part_shut_gate(hosted, connection);
    const struct viewer *viewer = screen == NULL ? NULL : viewer_find(screen, connection);
    struct gb_err err = {0};

    if (screen == NULL)
        return;
    if (gate != NULL) {
        gate->refuse(request, hosted);
        return;
    }
    if (screen->state != SCREEN_ENDED && (viewer == NULL || !viewer->types)) {
        (void)gb_err_set(&err, GB_EHELD, "another client types at terminal %u; attach to it first",
                         screen->number);
        request_fail(request, &err);
        return;
    }
    screen_type(screen, request, params->text);
}

static void terminal_handle_resize(struct request *request, const struct gb_params *params)
{
    struct screen *screen = terminal_asked(request, params, NULL);
    struct viewer *viewer = screen == NULL ? NULL : viewer_find(screen, request->connection);

    if (screen == NULL)
        return;
    request_ok(request);
    if (viewer == NULL)
        return;
    viewer_resize(viewer, (unsigned)params->rows, (unsigned)params->columns);
    if (viewer->types)
        screen_tell(screen, "terminal.changed");
}

static void terminal_handle_detach(struct request *request, const struct gb_params *params)
{
    struct screen *screen = terminal_asked(request, params, NULL);
    struct viewer *viewer = screen == NULL ? NULL : viewer_find(screen, request->connection);

    if (screen == NULL)
        return;
    if (viewer != NULL) {
        viewer_leave(viewer);
        viewer_free(viewer);
        screen_tell(screen, "terminal.changed");
    }
    request_ok(request);
}

static void terminal_handle_close(struct request *request, const struct gb_params *params)
{
    struct hosted *hosted;
    struct screen *screen = terminal_asked(request, params, &hosted);
    const struct gate *gate = screen == NULL ? NULL : part_shut_gate(hosted, request->connection);

    if (screen == NULL)
        return;
    if (gate != NULL) {
        gate->refuse(request, hosted);
        return;
    }
    if (screen->state == SCREEN_ENDED)
        screen_free(screen, NULL);
    else
        gb_terminal_hang_up(screen->terminal);
    request_ok(request);
}

/* For gb_items: those that have started, by number. */
static bool terminal_next(const void *owner, size_t *at, void *ret_item)
{
    const struct gb_list *screens = owner;
    const struct screen *screen;
    size_t index = 0;

    GB_LIST_FOREACH_CONST(screen, screens, link) {
        if (screen->state == SCREEN_STARTING || index++ < *at)
            continue;
        (*at)++;
        screen_describe(screen, ret_item);
        return true;
    }
    return false;
}

static void terminal_handle_list(struct request *request, const struct gb_params *params)
{
    struct gb_err err = {0};
    struct hosted *hosted = hosted_find(request->connection->server, params->session, &err);
    struct gb_terminals_info info = {.terminals.next = terminal_next};
    struct reply reply;

    if (hosted == NULL) {
        request_fail(request, &err);
        return;
    }
    info.terminals.owner = &terminals_of_session(hosted)->screens;
    reply_begin(&reply, request);
    gb_object_write(&reply.out, &gb_terminals_object, &info);
    reply_end(&reply);
}

/* The session may have ended long ago. */
static void terminal_handle_recording(struct request *request, const struct gb_params *params)
{
    struct gb_server *server = request->connection->server;
    struct gb_err err = {0};
    const struct hosted *hosted = hosted_find(server, params->session, &err);
    const struct gb_bytes id =
        hosted != NULL ? gb_bytes_str(gb_session_id(hosted->session)) : params->session;
    struct gb_buf data = {0};
    struct gb_piece_info piece;
    struct reply reply;

    if (recording_read(&terminals_of_server(server)->recordings, id, (uint32_t)params->terminal,
                       (uint64_t)params->offset, (size_t)params->length, &data, &piece, &err) < 0) {
        request_fail(request, &err);
    } else {
        reply_begin(&reply, request);
        gb_object_write(&reply.out, &gb_piece_object, &piece);
        reply_end(&reply);
    }
    gb_buf_release(&data);
}

static const struct method_handler terminal_methods[] = {
    {"session.terminal", terminal_handle_open},
    {"terminal.attach", terminal_handle_attach},
    {"terminal.input", terminal_handle_input},
    {"terminal.resize", terminal_handle_resize},
    {"terminal.detach", terminal_handle_detach},
    {"terminal.close", terminal_handle_close},
    {"terminal.list", terminal_handle_list},
    {"terminal.recording", terminal_handle_recording},
    {NULL, NULL},
};

static const char *const terminal_event_kinds[] = {"terminal.opened", "terminal.changed",
                                                   "terminal.closed", NULL};

const struct gb_part terminal_part = {
    .name = "terminal",
    .methods = terminal_methods,
    .event_kinds = terminal_event_kinds,
    .state = &terminal_sizes,
    .server_new = terminal_on_server,
    .server_start = terminal_on_server_start,
    .server_free = terminal_on_server_end,
    .connection_new = terminal_on_connection,
    .connection_sent = terminal_on_sent,
    .connection_closing = terminal_on_disconnect,
    .session_new = terminal_on_session,
    .session_ended = terminal_on_session_end,
    .describe_session = terminal_describe_session,
};

/* SPDX-License-Identifier: Apache-2.0 */
#include "screen.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "rpc/object.h"
#include "server/core/event.h"
#include "server/core/note.h"
#include "server/core/state.h"

enum {
    SCREEN_PAINT_MS = 16,          /* between paints */
    SCREEN_ANSWER_MS = 4,          /* while a key may be answered: */
    SCREEN_ANSWERS_MS = 100,       /* for so long after it was typed */
    SCREEN_UNREAD_MAX = 64 * 1024, /* unread bytes of a client above which it is sent nothing
                                    * more */
    SCREEN_INPUT_LOW = 64 * 1024,  /* unread bytes of a program above which typing is not
                                    * answered */
};

/* ---- what clients get ---- */

void screen_describe(const struct screen *screen, struct gb_terminal_info *ret_info)
{
    bool ended = screen->state == SCREEN_ENDED, lost = screen->why.code != GB_OK;
    const struct viewer *viewer;

    *ret_info = (struct gb_terminal_info){
        .number = screen->number,
        .args = {.list = screen->args, .count = screen->arg_count},
        .rows = gb_vt_rows(screen->vt),
        .columns = gb_vt_columns(screen->vt),
        .clients = (uint32_t)gb_list_count(&screen->viewers),
        .started_at_ns = screen->started_at_ns,
        .exit_code = screen->end.exit_code,
        .signal = screen->end.signal,
        .message = lost ? gb_bytes_str(screen->why.message) : (struct gb_bytes){0},
        .flags = lost    ? GB_TERMINAL_LOST
                 : ended ? 0
                         : GB_TERMINAL_RUNNING,
    };
    GB_LIST_FOREACH_CONST(viewer, &screen->viewers, of_screen)
        if (viewer->types && viewer->connection->client != NULL)
            ret_info->typed_by = gb_bytes_str(viewer->connection->client);
}

void screen_tell(const struct screen *screen, const char *kind)
{
    struct gb_terminal_info info;
    struct event event;

    if (screen->state == SCREEN_STARTING ||
        !event_begin(&event, screen->hosted->server, kind, screen->hosted))
        return;
    screen_describe(screen, &info);
    gb_json_object(&event.out, "info");
    gb_object_write(&event.out, &gb_terminal_object, &info);
    gb_json_end(&event.out);
    event_end(&event);
}

static void viewer_send(struct viewer *viewer, struct gb_buf *bytes)
{
    const struct gb_screen_info info = {.number = viewer->screen->number,
                                        .data = gb_buf_bytes(bytes)};

    if (bytes->size > 0)
        note_send(viewer->connection, "terminal.output", viewer->screen->hosted, &gb_screen_object,
                  &info);
    gb_buf_release(bytes);
}

static void viewer_paint_now(struct viewer *viewer)
{
    struct gb_buf bytes = {0};

    viewer->due = false;
    gb_vt_view_paint(viewer->view, viewer->screen->vt, &bytes);
    viewer_send(viewer, &bytes);
}

void viewer_paint(struct viewer *viewer)
{
    if (gb_stream_queued(viewer->connection->stream) > SCREEN_UNREAD_MAX)
        viewer->due = true;
    else
        viewer_paint_now(viewer);
}

static void viewer_tell_end(struct viewer *viewer)
{
    const struct screen *screen = viewer->screen;
    struct gb_buf bytes = {0};
    struct gb_terminal_info info;

    if (screen->state == SCREEN_STARTING)
        return; /* its requester has got an error */
    gb_vt_view_paint(viewer->view, screen->vt, &bytes);
    gb_vt_view_end(viewer->view, &bytes);
    viewer_send(viewer, &bytes);
    screen_describe(screen, &info);
    note_send(viewer->connection, "terminal.ended", screen->hosted, &gb_terminal_end_object, &info);
}

void viewer_leave(struct viewer *viewer)
{
    struct gb_buf bytes = {0};

    gb_vt_view_end(viewer->view, &bytes);
    viewer_send(viewer, &bytes);
}

void screen_show_end(struct viewer *viewer)
{
    viewer_tell_end(viewer);
    viewer_free(viewer);
}

/* ---- clients ---- */

struct viewer *viewer_find(const struct screen *screen, const struct connection *connection)
{
    struct gb_list *link;

    for (link = screen->viewers.next; link != &screen->viewers; link = link->next) {
        struct viewer *viewer = container_of(link, struct viewer, of_screen);

        if (viewer->connection == connection)
            return viewer;
    }
    return NULL;
}

static void screen_fit(struct screen *screen, const struct viewer *viewer)
{
    gb_vt_resize(screen->vt, viewer->rows, viewer->columns);
    if (screen->terminal != NULL)
        (void)gb_terminal_resize(screen->terminal, viewer->rows, viewer->columns, NULL);
    gb_loop_defer(screen->hosted->server->loop, &screen->paint, screen->paint.call, screen);
}

void viewer_take_over(struct viewer *viewer)
{
    struct screen *screen = viewer->screen;
    struct viewer *other;

    GB_LIST_FOREACH(other, &screen->viewers, of_screen) {
        const struct gb_screen_info info = {.number = screen->number,
                                            .by = gb_bytes_str(viewer->connection->client)};

        if (!other->types || other == viewer)
            continue;
        other->types = false;
        note_send(other->connection, "terminal.taken", screen->hosted, &gb_taken_object, &info);
    }
    viewer->types = true;
    if (viewer->rows != gb_vt_rows(screen->vt) || viewer->columns != gb_vt_columns(screen->vt))
        screen_fit(screen, viewer);
}

struct viewer *viewer_new(struct screen *screen, struct connection *connection, unsigned rows,
                          unsigned columns, bool types)
{
    struct viewer *viewer = xcalloc(1, sizeof(*viewer));

    viewer->screen = screen;
    viewer->connection = connection;
    viewer->rows = rows;
    viewer->columns = columns;
    viewer->view = gb_vt_view_new(rows, columns);
    gb_list_init(&viewer->of_connection);
    gb_list_add_tail(&screen->viewers, &viewer->of_screen);
    if (types)
        viewer_take_over(viewer);
    return viewer;
}

void viewer_free(struct viewer *viewer)
{
    gb_list_remove(&viewer->of_screen);
    gb_list_remove(&viewer->of_connection);
    gb_vt_view_free(viewer->view);
    free(viewer);
}

void viewer_resize(struct viewer *viewer, unsigned rows, unsigned columns)
{
    viewer->rows = rows;
    viewer->columns = columns;
    gb_vt_view_resize(viewer->view, rows, columns);
    if (viewer->types)
        screen_fit(viewer->screen, viewer);
    else
        viewer_paint(viewer);
}

/* ---- painting ---- */

static void screen_paint(void *arg)
{
    struct screen *screen = arg;
    struct viewer *viewer;

    gb_timer_stop(screen->timer);
    screen->painted_ns = gb_clock_mono_ns();
    GB_LIST_FOREACH(viewer, &screen->viewers, of_screen)
        viewer_paint(viewer);
    recording_paint(screen->recording, screen->vt);
    if (screen->terminal != NULL)
        gb_terminal_consume(screen->terminal, screen->held);
    screen->held = 0;
}

/* A single key is shown immediately, a flood as often as anybody can see; more often after a key,
 * whose answer may be in the middle of it. */
static void screen_paint_soon(struct screen *screen)
{
    const uint64_t now_ns = gb_clock_mono_ns();
    const uint64_t since_ms = (now_ns - screen->painted_ns) / GB_NS_PER_MS;
    const uint64_t typed_ms = (now_ns - screen->typed_ns) / GB_NS_PER_MS;
    const uint64_t pause_ms = typed_ms < SCREEN_ANSWERS_MS ? SCREEN_ANSWER_MS : SCREEN_PAINT_MS;

    if (gb_timer_active(screen->timer) || screen->paint.queued)
        return;
    if (since_ms >= pause_ms)
        gb_loop_defer(screen->hosted->server->loop, &screen->paint, screen_paint, screen);
    else
        gb_timer_start(screen->timer, pause_ms - since_ms);
}

/* ---- typing ---- */

static void screen_abandon_typing(struct request *request)
{
    gb_list_remove(&request->wait);
}

/* Answers those who wait, as far as there is room; all of them at the end. */
static void screen_answer_typing(struct screen *screen)
{
    struct gb_list *link;

    while ((screen->terminal == NULL || gb_terminal_queued(screen->terminal) <= SCREEN_INPUT_LOW) &&
           (link = gb_list_pop(&screen->typing)) != NULL)
        request_ok(container_of(link, struct request, wait));
}

void screen_type(struct screen *screen, struct request *request, struct gb_bytes bytes)
{
    struct gb_err err = {0};

    if (screen->terminal == NULL) {
        (void)gb_err_set(&err, GB_ENOTFOUND, "the program at terminal %u has ended",
                         screen->number);
        request_fail(request, &err);
        return;
    }
    if (gb_terminal_write(screen->terminal, bytes, &err) < 0) {
        request_fail(request, &err);
        return;
    }
    request->abandon = screen_abandon_typing;
    gb_list_add_tail(&screen->typing, &request->wait);
    screen_answer_typing(screen);
    screen->typed_ns = gb_clock_mono_ns();
    if (gb_timer_active(screen->timer)) { /* what waits is painted sooner now */
        gb_timer_stop(screen->timer);
        screen_paint_soon(screen);
    }
}

/* ---- the program ---- */

/* Nobody else uses it any more. */
static void screen_close_terminal(struct screen *screen)
{
    if (screen->terminal == NULL)
        return;
    gb_terminal_free(TAKE_PTR(screen->terminal));
    gb_session_terminal_over(screen->hosted->session);
    screen_answer_typing(screen);
}

/* Tells its clients and watchers, once. */
static void screen_tell_all(struct screen *screen)
{
    struct gb_list *link;

    if (screen->told)
        return;
    screen->told = true;
    recording_paint(screen->recording, screen->vt);
    recording_end(TAKE_PTR(screen->recording));
    while ((link = gb_list_pop(&screen->viewers)) != NULL)
        screen_show_end(container_of(link, struct viewer, of_screen));
    screen_tell(screen, "terminal.closed");
}

static void screen_tell_end(void *arg)
{
    struct screen *screen = arg;

    screen_tell_all(screen);
    screen->ended(screen);
}

/* Once all of its output is on the screen. If the session ends with the VM, it has the better
 * reason, and comes first. */
static void screen_tell_end_soon(struct screen *screen)
{
    if (screen->output.bytes.size == 0)
        gb_loop_defer(screen->hosted->server->loop, &screen->lost, screen_tell_end, screen);
}

static void screen_record(struct screen *screen)
{
    const struct recording_config config = {
        .session = gb_bytes_str(gb_session_id(screen->hosted->session)),
        .number = screen->number,
        .args = screen->args,
        .arg_count = screen->arg_count,
        .started_at_ns = screen->started_at_ns,
    };

    screen->recording = recording_new(screen->recordings, &config, screen->vt);
}

static void screen_on_started(void *arg, const struct gb_err *err)
{
    struct screen *screen = arg;
    struct request *request = TAKE_PTR(screen->request);
    struct gb_terminal_info info;
    struct reply reply;

    if (err != NULL || request == NULL) {
        /* It failed to start, or nobody knows about it. */
        if (request != NULL)
            request_fail(request, err);
        screen_free(screen, err);
        return;
    }
    screen->state = SCREEN_RUNNING;
    screen_record(screen);
    reply_begin(&reply, request);
    screen_describe(screen, &info);
    gb_object_write(&reply.out, &gb_terminal_number_object, &info);
    reply_end(&reply);
    screen_tell(screen, "terminal.opened");
    screen_paint_soon(screen);
}

static void screen_fed(struct backlog_entry *entry, size_t bytes)
{
    struct screen *screen = container_of(entry, struct screen, output);
    struct gb_buf *replies = gb_vt_replies(screen->vt);

    screen->held += bytes;
    /* What does not fit is lost, as on a slow line. */
    if (replies->size > 0 && screen->terminal != NULL)
        (void)gb_terminal_write(screen->terminal, gb_buf_bytes(replies), NULL);
    gb_buf_clear(replies);
    screen_paint_soon(screen);
    if (screen->state == SCREEN_ENDED)
        screen_tell_end_soon(screen);
}

static void screen_on_output(void *arg, struct gb_bytes bytes)
{
    struct screen *screen = arg;

    backlog_add(screen->backlog, &screen->output, bytes);
}

static void screen_on_sent(void *arg)
{
    screen_answer_typing(arg);
}

static void screen_on_ended(void *arg, const struct gb_terminal_end *end, const struct gb_err *why)
{
    struct screen *screen = arg;

    screen->state = SCREEN_ENDED;
    if (end != NULL)
        screen->end = *end;
    if (why != NULL)
        screen->why = *why;
    screen_close_terminal(screen);
    screen_tell_end_soon(screen);
}

static const struct gb_terminal_events screen_events = {.started = screen_on_started,
                                                        .output = screen_on_output,
                                                        .sent = screen_on_sent,
                                                        .ended = screen_on_ended};

/* ---- life ---- */

static void screen_abandon_start(struct request *request)
{
    struct screen *screen = request->arg;

    screen->request = NULL;
}

static void screen_keep_args(struct screen *screen, struct gb_bytes argv)
{
    const char *at;

    gb_buf_add(&screen->argv, argv.data, argv.size);
    at = (const char *)gb_buf_data(&screen->argv);
    for (size_t i = 0; i < argv.size; i++)
        screen->arg_count += argv.data[i] == '\0';
    screen->args = xcalloc(screen->arg_count + 1, sizeof(*screen->args));
    for (size_t i = 0; i < screen->arg_count; i++) {
        screen->args[i] = at;
        at += strlen(at) + 1;
    }
}

int screen_start(struct request *request, struct hosted *hosted, uint32_t number,
                 const struct gb_terminal_config *config, struct screen **ret_screen,
                 struct gb_err *err)
{
    struct screen *screen = xcalloc(1, sizeof(*screen));
    int r;

    screen->hosted = hosted;
    screen->number = number;
    screen->started_at_ns = gb_clock_wall_ns();
    gb_list_init(&screen->link);
    gb_list_init(&screen->viewers);
    gb_list_init(&screen->typing);
    screen_keep_args(screen, config->argv);
    r = gb_session_terminal(hosted->session, config, &screen_events, screen, &screen->terminal,
                            err);
    if (r < 0) {
        gb_buf_release(&screen->argv);
        free(screen->args);
        free(screen);
        return r;
    }
    screen->vt = gb_vt_new(config->rows, config->columns);
    backlog_entry_init(&screen->output, screen->vt, screen_fed);
    screen->timer = gb_timer_new(hosted->server->loop, screen_paint, screen);
    screen->request = request;
    request->arg = screen;
    request->abandon = screen_abandon_start;
    screen->paint.call = screen_paint;
    *ret_screen = screen;
    return 0;
}

void screen_free(struct screen *screen, const struct gb_err *why)
{
    gb_loop_undefer(&screen->paint);
    gb_loop_undefer(&screen->lost);
    if (why != NULL && (screen->state != SCREEN_ENDED || screen->why.code != GB_OK))
        screen->why = *why;
    screen_close_terminal(screen);
    backlog_remove(&screen->output);
    if (screen->state == SCREEN_RUNNING)
        screen->state = SCREEN_ENDED;
    screen_tell_all(screen);
    gb_list_remove(&screen->link);
    gb_timer_free(screen->timer);
    gb_vt_free(screen->vt);
    gb_buf_release(&screen->argv);
    free(screen->args);
    free(screen);
}

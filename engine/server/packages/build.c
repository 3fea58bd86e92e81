/* SPDX-License-Identifier: Apache-2.0 */
/* Theory of operation. A build begins when the first session waits for its layer, and ends when the
 * layer is there, or cannot be had, or nobody waits any more. At most BUILDERS_MAX builders exist:
 * the others wait for their turn, which comes from the loop, when the end of a builder's session
 * has been told. Steps: the builder opens → its program runs → the lock is read → the layer is read
 * in pieces, each of which a thread writes to disk before the next one is asked for, and with the
 * last one also the record → those who wait are told → a thread removes layers that are too many.
 * The struct is freed when it is over, its builder has ended and no thread uses it. */
#include "build.h"

#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "loop/loop.h"
#include "model/event.h"
#include "server/core/event.h"
#include "server/core/note.h"
#include "server/core/open.h"
#include "server/core/request.h"
#include "server/core/state.h"
#include "server/packages/made.h"

#define BUILDER_LAYER "packages.erofs"
#define BUILDER_LOCK "packages.lock"

enum {
    BUILDERS_MAX = 2,
    BUILDER_SPARE_MS = 300000, /* of its life, beside its program's time */
    BUILDER_CHECKPOINTS = 1,   /* off: the second choice of session.open */
    BUILDER_OUTPUT_MAX = 1 << 20,
    BUILDER_STATUS = 3, /* of the program: the packages cannot be had */
};

/* What a thread does: write a piece; also make the layer appear; remove others. */
enum build_task { BUILD_ADD, BUILD_PUBLISH, BUILD_EVICT };

struct build {
    struct gb_list link; /* in the server's */
    struct gb_server *server;
    struct gb_image *image;
    char *index, *client;
    struct layer layer;
    struct gb_list waiters; /* struct packages_session */
    build_ready_fn *ready;
    struct hosted *builder; /* NULL: not begun, or it has ended */
    struct gb_cell *cell;
    struct gb_buf piece;
    uint64_t size; /* of the layer, as the builder says */
    struct store_draft draft;
    int layer_fd; /* when it is there; -1: not yet */
    uv_work_t work;
    enum build_task task; /* of the thread */
    struct gb_surplus_limits limits;
    struct hosted *delayed; /* whose end waits for the thread; NULL: none is at work */
    bool begun, over;
    bool taken; /* nothing more has to come out of the builder */
    int result; /* of the thread */
    struct gb_err result_err;
};

static void build_call_next(struct gb_server *server);

static void build_free_if_done(struct build *build)
{
    struct gb_server *server = build->server;

    if (!build->over || build->builder != NULL || build->delayed != NULL)
        return;
    gb_list_remove(&build->link);
    gb_cell_unref(build->cell);
    layer_release(&build->layer);
    gb_buf_release(&build->piece);
    store_drop(&build->draft);
    (void)gb_close(build->layer_fd);
    free(build->index);
    free(build->client);
    free(build);
    build_call_next(server);
}

/* For those who wait: nothing of theirs has run, and what ended or was not found is of the
 * builder. */
static struct gb_err build_explain(const struct gb_err *err)
{
    struct gb_err why = *err;

    why.dispatched = false;
    if (err->code != GB_EPACKAGES && err->code != GB_ETOOLARGE && err->code != GB_EDISK &&
        err->code != GB_ECAPACITY && err->code != GB_EINTERNAL)
        (void)gb_err_set(&why, GB_EPACKAGES, "the packages cannot be fetched: %s", err->message);
    return why;
}

/* @err NULL: the layer is there. May free it. */
static void build_end(struct build *build, const struct gb_err *err)
{
    struct gb_err why = {0};
    struct gb_list *link;

    if (build->over)
        return;
    build->over = true;
    if (err != NULL) {
        why = build_explain(err);
        err = &why;
        gb_info("packages %s: %s", build->layer.key, err->message);
    } else {
        packages_server(build->server)->made++;
    }
    while ((link = gb_list_pop(&build->waiters)) != NULL) {
        struct packages_session *session = container_of(link, struct packages_session, wait);

        session->waits = false;
        session->waits_for = NULL;
        build->ready(session->hosted, &build->layer, build->layer_fd, err);
    }
    if (build->builder != NULL)
        hosted_close(build->builder, GB_END_CLOSED, "the packages have been fetched");
    build_free_if_done(build);
}

static void build_fail(struct build *build, enum gb_code code, const char *why)
{
    struct gb_err err = {0};

    (void)gb_err_set(&err, code, "%s", why);
    build_end(build, &err);
}

/* Tells watchers of a session, and the client that waits for it, what is being done. */
static void build_tell_one(struct hosted *hosted, struct gb_bytes text)
{
    const struct gb_preparing_info info = {.text = text};
    struct request *request;
    struct event event;

    GB_LIST_FOREACH(request, &hosted->openers, wait)
        note_send(request->connection, "session.preparing", hosted, &gb_preparing_object, &info);
    if (!event_begin(&event, hosted->server, "session.preparing", hosted))
        return;
    gb_json_put(&event.out, "text", text);
    event_end(&event);
}

static void build_tell(struct build *build, const char *text)
{
    struct gb_list *at;

    for (at = build->waiters.next; at != &build->waiters; at = at->next)
        build_tell_one(container_of(at, struct packages_session, wait)->hosted, gb_bytes_str(text));
}

/* ---- on disk ---- */

static void build_on_thread(uv_work_t *work)
{
    struct build *build = work->data;
    const char *folder = packages_server(build->server)->folder;

    switch (build->task) {
    case BUILD_ADD:
    case BUILD_PUBLISH:
        build->result = store_add(&build->draft, gb_buf_bytes(&build->piece), &build->result_err);
        if (build->result == 0 && build->task == BUILD_PUBLISH)
            build->result = store_publish(folder, &build->draft, &build->layer, &build->result_err);
        if (build->result == 0 && build->task == BUILD_PUBLISH)
            build->result = build->layer_fd =
                store_open_layer(folder, gb_bytes_str(build->layer.digest), &build->result_err);
        break;
    case BUILD_EVICT:
        store_evict(folder, &build->limits, build->layer.key);
        break;
    }
}

static void build_fetch(struct build *build);
static bool build_queue(struct build *build, enum build_task task);

/* Those who wait have the layer open before others are removed. True: it goes on. */
static bool build_after_publishing(struct build *build)
{
    build_end(build, NULL);
    return build_queue(build, BUILD_EVICT);
}

static void build_after_thread(uv_work_t *work, int status)
{
    struct build *build = work->data;
    struct hosted *delayed = build->delayed;

    (void)status; /* it is never cancelled */
    if (build->task != BUILD_EVICT && build->result < 0)
        build_end(build, &build->result_err);
    else if (build->task == BUILD_PUBLISH && build_after_publishing(build))
        return;
    build->delayed = NULL;
    if (build->over)
        build_free_if_done(build);
    else
        build_fetch(build);
    hosted_allow_end(delayed);
}

/* For when no thread is at work. False: none can be had. */
static bool build_queue(struct build *build, enum build_task task)
{
    build->work.data = build;
    build->task = task;
    return uv_queue_work(gb_loop_uv(build->server->loop), &build->work, build_on_thread,
                         build_after_thread) == 0;
}

/* The piece that was received, which is the last one if it is to be published. */
static void build_write(struct build *build, enum build_task task)
{
    const struct gb_settings_packages *settings = &build->server->settings.packages;

    build->limits = (struct gb_surplus_limits){.max_age_s = settings->max_age_ms / 1000,
                                               .max_bytes = settings->max_bytes};
    build->taken = task == BUILD_PUBLISH;
    if (!build_queue(build, task)) {
        build_fail(build, GB_EINTERNAL, "cannot start a thread to write packages");
        return;
    }
    build->delayed = build->builder;
    hosted_delay_end(build->delayed);
}

/* ---- out of the builder ---- */

static void build_on_piece(void *arg, const struct gb_download_end *end, const struct gb_err *err)
{
    struct build *build = arg;
    enum made_layer made;

    if (build->over)
        return;
    if (err != NULL) {
        build_end(build, err);
        return;
    }
    made = made_take_piece(build->draft.bytes, build->size, build->piece.size, end->size,
                           end->eof != 0);
    build->size = end->size;
    if (made == MADE_TOO_LARGE)
        build_fail(build, GB_ETOOLARGE, "the packages take more than 2 GiB");
    else if (made == MADE_NONSENSE)
        build_fail(build, GB_EPACKAGES, "the builder made no layer");
    else
        build_write(build, made == MADE_MORE ? BUILD_ADD : BUILD_PUBLISH);
}

static void build_fetch(struct build *build)
{
    const struct gb_download what = {.path = gb_bytes_str(BUILDER_LAYER),
                                     .offset = build->draft.bytes,
                                     .length = MADE_PIECE_MAX};
    struct gb_err err = {0};

    gb_buf_clear(&build->piece);
    if (gb_session_download(build->builder->session, &what, &build->piece, build_on_piece, build,
                            &err) < 0)
        build_end(build, &err);
}

static void build_on_lock(void *arg, const struct gb_download_end *end, const struct gb_err *err)
{
    struct build *build = arg;
    struct gb_err problem = {0};

    if (build->over)
        return;
    if (err != NULL) {
        build_end(build, err);
    } else if (end->eof == 0) {
        build_fail(build, GB_ETOOLARGE, "these are too many packages for one session");
    } else if (!made_check_lock(gb_buf_bytes(&build->piece))) {
        build_fail(build, GB_EPACKAGES, "the builder made no list of packages");
    } else if (store_begin(packages_server(build->server)->folder, &build->draft, &problem) < 0) {
        build_end(build, &problem);
    } else {
        gb_buf_add(&build->layer.lock, gb_buf_data(&build->piece), build->piece.size);
        build_fetch(build);
    }
}

static void build_fetch_lock(struct build *build)
{
    const struct gb_download what = {.path = gb_bytes_str(BUILDER_LOCK),
                                     .length = GB_PACKAGES_LOCK_MAX + 1};
    struct gb_err err = {0};

    if (gb_session_download(build->builder->session, &what, &build->piece, build_on_lock, build,
                            &err) < 0)
        build_end(build, &err);
}

/* ---- its program ---- */

static void build_on_output(void *arg, const struct gb_cell *cell, enum gb_output stream,
                            struct gb_bytes bytes)
{
    struct build *build = arg;
    char line[MADE_LINE_MAX] = "";

    (void)cell;
    if (stream != GB_STDOUT || build->over)
        return;
    made_last_line(bytes, line);
    if (line[0] != '\0')
        build_tell(build, line);
}

static void build_refuse(struct build *build, const struct gb_cell *cell)
{
    const struct gb_settings_packages *settings = &build->server->settings.packages;
    char line[MADE_LINE_MAX] = "";
    struct gb_err err = {0};

    made_last_line(gb_buf_bytes(&cell->error), line);
    if ((cell->flags & GB_CELL_TIMED_OUT) != 0)
        (void)gb_err_set(&err, GB_EPACKAGES,
                         "fetching the packages took longer than %llu s ([packages] time)",
                         (unsigned long long)settings->time_ms / 1000);
    else if ((cell->flags & GB_CELL_OOM) != 0)
        (void)gb_err_set(&err, GB_ETOOLARGE,
                         "the packages do not fit into the %llu MiB of the VM that fetches them "
                         "([packages] memory)",
                         (unsigned long long)settings->memory_bytes >> 20);
    else if (cell->exit_code == BUILDER_STATUS)
        (void)gb_err_set(&err, GB_EPACKAGES, "the packages cannot be had: %s", line);
    else
        (void)gb_err_set(&err, GB_EPACKAGES, "making a layer of the packages failed (%d): %s",
                         cell->exit_code, line);
    build_end(build, &err);
}

static void build_on_done(void *arg, const struct gb_cell *cell, const struct gb_err *err)
{
    struct build *build = arg;

    if (build->over)
        return;
    if (err != NULL)
        build_end(build, err);
    else if (cell->exit_code != 0 || (cell->flags & (GB_CELL_TIMED_OUT | GB_CELL_OOM)) != 0)
        build_refuse(build, cell);
    else
        build_fetch_lock(build);
}

void build_on_opened(struct hosted *builder)
{
    static const struct gb_cell_events events = {.output = build_on_output, .done = build_on_done};
    struct build *build = packages_of(builder)->builds;
    _cleanup_(gb_env_release) struct gb_env env = {0};
    _cleanup_(gb_buf_release) struct gb_buf code = {0};
    struct gb_err err = {0};
    int r;

    gb_buf_addf(&code, "/run/glassbell/%s/packages", build->image->language);
    r = gb_env_add(&env, &build->server->host->images->languages, gb_bytes_str("PACKAGES_INDEX"),
                   gb_bytes_str(build->index), &err);
    if (r == 0) {
        const struct gb_cell_config config = {
            .mode = GB_MODE_SHELL,
            .timeout_ms = (uint32_t)build->server->settings.packages.time_ms,
            .max_stdout = BUILDER_OUTPUT_MAX,
            .max_stderr = BUILDER_OUTPUT_MAX,
            .env = &env,
            .code = gb_buf_bytes(&code),
            .stdin_data = gb_buf_bytes(&build->layer.wanted),
        };

        r = gb_session_exec(builder->session, &config, &events, build, &build->cell, &err);
    }
    if (r < 0)
        build_end(build, &err);
}

void build_on_closed(struct hosted *builder, const struct gb_err *why)
{
    struct build *build = packages_of(builder)->builds;
    struct gb_err err = {0};

    packages_of(builder)->builds = NULL;
    build->builder = NULL;
    if (build->over || build->taken) {
        build_free_if_done(build);
        return;
    }
    (void)gb_err_set(&err, why->code, "the VM that fetches them has ended: %s", why->message);
    build_end(build, &err);
}

/* ---- its beginning ---- */

static void build_start(struct build *build)
{
    const char *network = build->image->record->packages.network;
    const struct gb_json policy = {
        .type = GB_JSON_STRING, .span = 1, .text = gb_bytes_str(network)};
    const struct gb_params params = {
        .image = gb_bytes_str(build->image->name),
        .label = gb_bytes_str("packages"),
        .network = &policy,
        .memory_mb = (int64_t)(build->server->settings.packages.memory_bytes >> 20),
        .wait_ms = -1,
        .lifetime_ms = (int64_t)build->server->settings.packages.time_ms + BUILDER_SPARE_MS,
        .checkpoints = BUILDER_CHECKPOINTS,
    };
    struct gb_err err = {0};

    build->begun = true;
    if (open_for_part(build->server, build->client, &params, &build->builder, &err) < 0) {
        build_end(build, &err);
        return;
    }
    packages_of(build->builder)->builds = build;
    packages_of(build->builder)->is_builder = true;
    packages_server(build->server)->builders++;
    build_tell(build, "Starting a VM that fetches the packages");
}

static void build_on_turn(void *arg)
{
    struct gb_server *server = arg;
    struct packages_server *state = packages_server(server);
    struct build *build;

    if (state->builders >= BUILDERS_MAX)
        return;
    GB_LIST_FOREACH(build, &state->builds, link) {
        if (build->begun || build->over)
            continue;
        build_call_next(server); /* there may be room for one more */
        build_start(build);      /* may free it */
        return;
    }
}

static void build_call_next(struct gb_server *server)
{
    gb_loop_defer(server->loop, &packages_server(server)->turn, build_on_turn, server);
}

void build_on_ended(struct hosted *builder)
{
    packages_server(builder->server)->builders--;
    build_call_next(builder->server);
}

static struct build *build_find(struct packages_server *state, const char *key)
{
    struct build *build;

    GB_LIST_FOREACH(build, &state->builds, link)
        if (!build->over && strcmp(build->layer.key, key) == 0)
            return build;
    return NULL;
}

void build_join(struct hosted *hosted, const char *key, const char *index, build_ready_fn *ready)
{
    struct packages_server *state = packages_server(hosted->server);
    struct packages_session *session = packages_of(hosted);
    struct gb_image *image = gb_session_config_of(hosted->session).image;
    struct build *build = build_find(state, key);

    session->waits = true;
    if (build == NULL) {
        build = xcalloc(1, sizeof(*build));
        build->server = hosted->server;
        build->ready = ready;
        build->layer_fd = -1;
        build->image = image;
        build->index = xstrdup(index);
        build->client = hosted->client == NULL ? NULL : xstrdup(hosted->client);
        build->draft = STORE_DRAFT_NONE;
        memcpy(build->layer.key, key, STORE_KEY_HEX);
        gb_buf_adds(&build->layer.image, image->name);
        gb_buf_add(&build->layer.wanted, gb_buf_data(&session->wanted), session->wanted.size);
        gb_list_init(&build->waiters);
        gb_list_add_tail(&state->builds, &build->link);
    }
    session->waits_for = build;
    gb_list_add_tail(&build->waiters, &session->wait);
    build_call_next(hosted->server);
}

void build_leave(struct hosted *hosted)
{
    struct packages_session *session = packages_of(hosted);
    struct build *build = session->waits_for;

    if (!session->waits)
        return;
    session->waits = false;
    session->waits_for = NULL;
    gb_list_remove(&session->wait);
    if (gb_list_empty(&build->waiters))
        build_fail(build, GB_ECLOSED, "nobody waits for these packages any more");
}

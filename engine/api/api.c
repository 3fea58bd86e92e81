/* SPDX-License-Identifier: Apache-2.0 */
/* The public API: a thin layer over host, capacity and session.
 *
 * Theory of operation. Every call creates an object (opening, exec, transfer) that lives until its
 * one callback. Failures detected within the call are reported from the loop like all others,
 * through a deferred call of that object. After glassbell_session_close() the engine keeps the
 * session's wrapper until the VM has been reaped.
 */
#include "glassbell.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/paths.h"
#include "loop/loop.h"
#include "capacity/capacity.h"
#include "capacity/start.h"
#include "session/session.h"
#include "settings/settings.h"
#include "vm/host.h"

enum { FILE_MAX = 64 << 20 };

static_assert((int)GLASSBELL_KERNEL == (int)GB_MODE_KERNEL, "the same numbers");
static_assert((int)GLASSBELL_PROCESS == (int)GB_MODE_PROCESS, "the same numbers");
static_assert((int)GLASSBELL_SHELL == (int)GB_MODE_SHELL, "the same numbers");

struct glassbell {
    struct gb_loop *loop;
    struct gb_host *host;
    struct gb_settings settings;
    struct gb_capacity *capacity;
    struct gb_list sessions;
    glassbell_open_fn *opened;
    void (*closed)(void *arg);
    void *arg;
    bool closing;
    struct gb_err err; /* of an opening that failed within the call */
    struct gb_deferred deferred;
};

struct glassbell_session {
    struct gb_list link;
    struct glassbell *engine;
    struct gb_session *session;
    struct gb_start start;
    glassbell_session_fn *opened;
    void (*closed)(void *arg, struct glassbell_session *session, const struct glassbell_error *why);
    void *arg;
    bool open, dropped; /* open: `opened` reported success; dropped: the owner has closed it */
    struct gb_err err;  /* of an opening that failed within the call */
    struct gb_deferred deferred;
};

static struct glassbell_error face_of(const struct gb_err *err)
{
    return (struct glassbell_error){
        .kind = gb_code_kind(err->code),
        .message = err->message,
        .dispatched = err->dispatched,
        .retryable = gb_code_class(err->code) == GB_CLASS_RETRY,
    };
}

const char *glassbell_version(void)
{
    return GB_VERSION;
}

/* ---- the engine ---- */

static void free_engine(struct glassbell *engine)
{
    gb_settings_release(&engine->settings);
    gb_host_free(engine->host);
    gb_loop_free(engine->loop);
    free(engine);
}

static void on_host(void *arg, struct gb_host *host, const struct gb_err *err)
{
    struct glassbell *engine = arg;
    glassbell_open_fn *opened = engine->opened;
    void *user = engine->arg;
    struct glassbell_error face;

    engine->host = host;
    if (host != NULL) {
        engine->capacity = gb_capacity_new(host, &engine->settings, NULL, NULL);
        gb_capacity_begin(engine->capacity, &engine->settings);
        opened(user, engine, NULL);
        return;
    }
    face = face_of(err);
    free_engine(engine);
    opened(user, NULL, &face);
}

static void tell_no_settings(void *arg)
{
    struct glassbell *engine = arg;
    struct gb_err err = engine->err;

    on_host(engine, NULL, &err);
}

static int read_settings(struct glassbell *engine, const char *path, struct gb_err *err)
{
    if (path != NULL)
        return gb_settings_load(path, &engine->settings, err);
    gb_settings_init(&engine->settings);
    return 0;
}

void glassbell_open(uv_loop_t *loop, const struct glassbell_options *options,
                    glassbell_open_fn *opened, void *arg)
{
    struct glassbell *engine = xcalloc(1, sizeof(*engine));
    _cleanup_(freep) char *run = gb_path_runtime();
    _cleanup_(freep) char *cache = gb_path_cache();
    struct gb_host_config config = {.run = run, .cache = cache};

    engine->loop = gb_loop_new(loop);
    engine->opened = opened;
    engine->arg = arg;
    gb_list_init(&engine->sessions);
    if (options != NULL) {
        config.images = options->images;
        if (options->state != NULL)
            config.run = config.cache = options->state;
        config.launcher = options->launcher;
        config.require_isolation = options->require_isolation;
    }
    if (read_settings(engine, options != NULL ? options->settings : NULL, &engine->err) < 0)
        gb_loop_defer(engine->loop, &engine->deferred, tell_no_settings, engine);
    else
        gb_host_open(engine->loop, &config, on_host, engine);
}

static void on_capacity_gone(void *arg)
{
    struct glassbell *engine = arg;
    void (*closed)(void *arg) = engine->closed;
    void *user = engine->arg;

    free_engine(engine);
    if (closed != NULL)
        closed(user);
}

static void close_when_empty(void *arg)
{
    struct glassbell *engine = arg;

    if (gb_list_empty(&engine->sessions))
        gb_capacity_free(TAKE_PTR(engine->capacity), on_capacity_gone, engine);
}

void glassbell_close(struct glassbell *engine, void (*closed)(void *arg), void *arg)
{
    struct glassbell_session *session;

    engine->closing = true;
    engine->closed = closed;
    engine->arg = arg;
    gb_capacity_stop(engine->capacity);
    GB_LIST_FOREACH(session, &engine->sessions, link)
        glassbell_session_close(session);
    gb_loop_defer(engine->loop, &engine->deferred, close_when_empty, engine);
}

const char *glassbell_accelerator(const struct glassbell *engine)
{
    return gb_accel_name(engine->host->accel);
}

/* ---- sessions ---- */

static void forget_session(struct glassbell_session *session)
{
    struct glassbell *engine = session->engine;

    gb_list_remove(&session->link);
    gb_loop_undefer(&session->deferred);
    gb_session_free(session->session);
    free(session);
    if (engine->closing)
        gb_loop_defer(engine->loop, &engine->deferred, close_when_empty, engine);
}

static void on_opened(void *arg, const struct gb_err *err)
{
    struct glassbell_session *session = arg;
    struct glassbell_error face;

    if (err == NULL)
        gb_start_settle(&session->start);
    if (session->dropped)
        return;
    if (err == NULL) {
        session->open = true;
        session->opened(session->arg, session, NULL);
        return;
    }
    face = face_of(err);
    session->dropped = true;
    session->opened(session->arg, NULL, &face);
}

static bool on_lost(void *arg, const struct gb_err *why)
{
    struct glassbell_session *session = arg;

    return gb_start_again(&session->start, why);
}

static void api_on_closed(void *arg, const struct gb_err *why)
{
    struct glassbell_session *session = arg;
    struct glassbell_error face = face_of(why);

    gb_start_cancel(&session->start);
    if (!session->dropped && session->closed != NULL)
        session->closed(session->arg, session, &face);
    forget_session(session);
}

static void tell_open_failed(void *arg)
{
    struct glassbell_session *session = arg;
    struct glassbell_error face = face_of(&session->err);

    if (!session->dropped)
        session->opened(session->arg, NULL, &face);
    forget_session(session);
}

static int read_env(const struct glassbell *engine, const char *const *lines, struct gb_env *env,
                    struct gb_err *err)
{
    int r = 0;

    for (; lines != NULL && *lines != NULL && r == 0; lines++) {
        const char *equals = strchr(*lines, '=');

        if (equals == NULL)
            return gb_err_set(err, GB_EINVALID, "an environment setting is NAME=value");
        r = gb_env_add(env, &engine->host->images->languages,
                       (struct gb_bytes){(const uint8_t *)*lines, (size_t)(equals - *lines)},
                       gb_bytes_str(equals + 1), err);
    }
    return r;
}

static int api_open_session(struct glassbell_session *session,
                            const struct glassbell_session_options *options, struct gb_err *err)
{
    static const struct gb_session_events events = {
        .opened = on_opened, .lost = on_lost, .closed = api_on_closed};
    _cleanup_(gb_env_release) struct gb_env env = {0};
    struct gb_session_config config = {
        .memory_mb = options->memory_mb,
        .timeout_ms = options->timeout_ms,
        .idle_ms = options->idle_ms,
        .lifetime_ms = options->lifetime_ms,
        .env = &env,
    };
    const char *image = options->image != NULL ? options->image : GB_IMAGE_DEFAULT;
    struct glassbell *engine = session->engine;
    int r = read_env(engine, options->env, &env, err);

    if (r < 0)
        return r;
    config.image = gb_host_find_image(engine->host, image);
    if (config.image == NULL)
        return gb_err_set(err, GB_EIMAGE, "there is no image %s; see `glassbell image ls`", image);
    r = gb_session_new(engine->host, &config, &events, session, &session->session, err);
    if (r == 0)
        gb_start_begin(&session->start, engine->capacity->pool, session->session,
                       options->wait_ms > 0 ? options->wait_ms
                                            : engine->settings.admission.wait_ms);
    return r;
}

void glassbell_session_open(struct glassbell *engine,
                            const struct glassbell_session_options *options,
                            glassbell_session_fn *opened, void *arg)
{
    static const struct glassbell_session_options defaults = {0};
    struct glassbell_session *session = xcalloc(1, sizeof(*session));

    if (options == NULL)
        options = &defaults;
    session->engine = engine;
    session->opened = opened;
    session->closed = options->closed;
    session->arg = arg;
    gb_list_add_tail(&engine->sessions, &session->link);
    if (api_open_session(session, options, &session->err) < 0)
        gb_loop_defer(engine->loop, &session->deferred, tell_open_failed, session);
}

void glassbell_session_close(struct glassbell_session *session)
{
    session->dropped = true;
    if (session->session != NULL)
        gb_session_close(session->session, NULL);
}

const char *glassbell_session_id(const struct glassbell_session *session)
{
    return gb_session_id(session->session);
}

const char *glassbell_session_source(const struct glassbell_session *session)
{
    return gb_source_to_string(gb_session_source(session->session));
}

/* ---- cells ---- */

struct exec {
    struct glassbell_session *session;
    void (*output)(void *arg, int stream, struct glassbell_bytes bytes);
    glassbell_exec_fn *done;
    void *arg;
    struct gb_cell *cell;
    struct gb_err err;
    struct gb_deferred deferred;
};

static struct glassbell_bytes api_bytes_of(const struct gb_buf *buf)
{
    return (struct glassbell_bytes){(const char *)gb_buf_data(buf), buf->size};
}

static void api_on_output(void *arg, const struct gb_cell *cell, enum gb_output stream,
                          struct gb_bytes bytes)
{
    struct exec *exec = arg;

    (void)cell;
    if (exec->output != NULL)
        exec->output(exec->arg, (int)stream,
                     (struct glassbell_bytes){(const char *)bytes.data, bytes.size});
}

static void tell_result(struct exec *exec, const struct gb_cell *cell)
{
    static const char none[] = "";
    struct glassbell_display *displays = xcalloc(cell->displays.count, sizeof(*displays));
    char *types = xcalloc(cell->displays.count, GB_MIME_MAX + 1);
    struct glassbell_file *files = xcalloc(cell->changed.count, sizeof(*files));
    struct gb_bytes mime, data;
    struct gb_changed changed;
    size_t at = 0, count = 0;
    struct glassbell_result result = {
        .cell = cell->number,
        .exit_code = cell->exit_code,
        .signal = cell->signal,
        .timed_out = (cell->flags & GB_CELL_TIMED_OUT) != 0,
        .interrupted = (cell->flags & GB_CELL_INTERRUPTED) != 0,
        .oom = (cell->flags & GB_CELL_OOM) != 0,
        .state_lost = (cell->flags & GB_CELL_STATE_LOST) != 0,
        .out = api_bytes_of(&cell->out),
        .err = api_bytes_of(&cell->error),
        .out_left_out = cell->dropped_stdout,
        .err_left_out = cell->dropped_stderr,
        .displays = displays,
        .display_count = cell->displays.count,
        .files = files,
        .file_count = cell->changed.count,
        .files_cut = (cell->flags & GB_CELL_FILES_CUT) != 0,
        .wall_ms = (double)cell->wall_ns / 1e6,
        .cpu_ms = (double)cell->cpu_ns / 1e6,
        .peak_memory = cell->peak_memory,
    };

    if ((cell->flags & GB_CELL_HAS_VALUE) != 0)
        result.value =
            cell->value.size > 0 ? api_bytes_of(&cell->value) : (struct glassbell_bytes){none, 0};
    for (size_t i = 0, from = 0; gb_pairs_next(&cell->displays, &from, &mime, &data) == 1; i++) {
        char *type = types + i * (GB_MIME_MAX + 1);

        memcpy(type, mime.data, MIN(mime.size, (size_t)GB_MIME_MAX));
        displays[i] = (struct glassbell_display){type, {(const char *)data.data, data.size}};
    }
    while (gb_changed_next(&cell->changed, &at, &changed, NULL) > 0)
        files[count++] = (struct glassbell_file){
            .path = {(const char *)changed.path.data, changed.path.size},
            .change = (enum glassbell_change)changed.change,
            .size = changed.size,
        };
    exec->done(exec->arg, &result, NULL);
    free(displays);
    free(types);
    free(files);
}

static void on_done(void *arg, const struct gb_cell *cell, const struct gb_err *err)
{
    struct exec *exec = arg;

    if (err != NULL) {
        struct glassbell_error face = face_of(err);
        exec->done(exec->arg, NULL, &face);
    } else {
        tell_result(exec, cell);
    }
    gb_cell_unref(exec->cell);
    free(exec);
}

static void tell_exec_failed(void *arg)
{
    struct exec *exec = arg;
    struct glassbell_error face = face_of(&exec->err);

    exec->done(exec->arg, NULL, &face);
    free(exec);
}

/* The name and the arguments, if either was given. */
static void add_argv(struct gb_buf *argv, const struct glassbell_exec_options *options)
{
    const char *name = options->file != NULL ? options->file : "-c";

    if (options->file == NULL && options->args == NULL)
        return;
    gb_buf_add(argv, name, strlen(name) + 1);
    for (size_t i = 0; options->args != NULL && options->args[i] != NULL; i++)
        gb_buf_add(argv, options->args[i], strlen(options->args[i]) + 1);
}

void glassbell_exec(struct glassbell_session *session, const struct glassbell_exec_options *options,
                    glassbell_exec_fn *done, void *arg)
{
    static const struct gb_cell_events events = {.output = api_on_output, .done = on_done};
    _cleanup_(gb_env_release) struct gb_env env = {0};
    _cleanup_(gb_buf_release) struct gb_buf argv = {0};
    struct exec *exec = xcalloc(1, sizeof(*exec));
    struct gb_cell_config config = {
        .mode = (enum gb_mode)options->mode,
        .final = options->final,
        .timeout_ms = options->timeout_ms,
        .max_stdout = options->max_stdout,
        .max_stderr = options->max_stderr,
        .env = &env,
        .code = gb_bytes_str(options->code != NULL ? options->code : ""),
        .file = gb_bytes_str(options->file != NULL ? options->file : ""),
        .put = options->file != NULL && options->code != NULL,
        .stdin_data = {(const uint8_t *)options->input.data, options->input.size},
    };
    int r;

    add_argv(&argv, options);
    config.argv = gb_buf_bytes(&argv);
    exec->session = session;
    exec->output = options->output;
    exec->done = done;
    exec->arg = arg;
    r = read_env(session->engine, options->env, &env, &exec->err);
    if (r == 0)
        r = gb_session_exec(session->session, &config, &events, exec, &exec->cell, &exec->err);
    if (r < 0)
        gb_loop_defer(session->engine->loop, &exec->deferred, tell_exec_failed, exec);
}

void glassbell_interrupt(struct glassbell_session *session)
{
    (void)gb_session_interrupt(session->session, NULL); /* no-op if none runs */
}

/* ---- files ---- */

struct transfer {
    char *path;
    struct gb_guest_upload *upload; /* of a write */
    struct gb_buf content;          /* of a read */
    glassbell_file_fn *done;
    void *arg;
    struct gb_err err; /* code GB_OK: none */
    struct gb_deferred deferred;
};

static void api_file_finish(void *arg)
{
    struct transfer *transfer = arg;
    struct glassbell_error face = face_of(&transfer->err);

    gb_guest_upload_free(transfer->upload);
    if (transfer->err.code != GB_OK)
        transfer->done(transfer->arg, (struct glassbell_bytes){NULL, 0}, &face);
    else
        transfer->done(transfer->arg, api_bytes_of(&transfer->content), NULL);
    gb_buf_release(&transfer->content);
    free(transfer->path);
    free(transfer);
}

static struct transfer *api_file_new(const char *path, glassbell_file_fn *done, void *arg)
{
    struct transfer *transfer = xcalloc(1, sizeof(*transfer));

    transfer->path = xstrdup(path);
    transfer->done = done;
    transfer->arg = arg;
    return transfer;
}

static void api_on_written(void *arg, const struct gb_err *err)
{
    struct transfer *transfer = arg;

    if (err != NULL)
        transfer->err = *err;
    api_file_finish(transfer);
}

void glassbell_file_write(struct glassbell_session *session, const char *path,
                          struct glassbell_bytes content, uint32_t mode, glassbell_file_fn *done,
                          void *arg)
{
    struct transfer *transfer = api_file_new(path, done, arg);
    const struct gb_bytes bytes = {(const uint8_t *)content.data, content.size};
    int r;

    if (strlen(path) > GB_PATH_MAX || content.size > FILE_MAX) {
        r = gb_err_set(&transfer->err, GB_ETOOLARGE, "a file may have %d bytes, its path %u",
                       FILE_MAX, GB_PATH_MAX);
    } else {
        transfer->upload = gb_session_upload(session->session, gb_bytes_str(path), mode);
        r = gb_session_upload_give(session->session, transfer->upload, bytes, true, api_on_written,
                                   transfer, &transfer->err);
    }
    if (r < 0) {
        gb_guest_upload_free(TAKE_PTR(transfer->upload));
        gb_loop_defer(session->engine->loop, &transfer->deferred, api_file_finish, transfer);
    }
}

static void api_on_read(void *arg, const struct gb_download_end *end, const struct gb_err *err)
{
    struct transfer *transfer = arg;

    (void)end;
    if (err != NULL)
        transfer->err = *err;
    else if (transfer->content.size > FILE_MAX)
        (void)gb_err_set(&transfer->err, GB_ETOOLARGE, "%s has more than %d bytes", transfer->path,
                         FILE_MAX);
    api_file_finish(transfer);
}

void glassbell_file_read(struct glassbell_session *session, const char *path,
                         glassbell_file_fn *done, void *arg)
{
    struct transfer *transfer = api_file_new(path, done, arg);
    const struct gb_download what = {gb_bytes_str(path), 0, (uint64_t)FILE_MAX + 1};
    int r;

    if (strlen(path) > GB_PATH_MAX)
        r = gb_err_set(&transfer->err, GB_EINVALID, "a path may have %u bytes", GB_PATH_MAX);
    else
        r = gb_session_download(session->session, &what, &transfer->content, api_on_read, transfer,
                                &transfer->err);
    if (r < 0)
        gb_loop_defer(session->engine->loop, &transfer->deferred, api_file_finish, transfer);
}

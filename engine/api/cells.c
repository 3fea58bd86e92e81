/* SPDX-License-Identifier: Apache-2.0 */
/* Cells. One at a time is with the server, the others wait here: so it is known whose output a
 * notification is about, and those of a session that is closed never start. */
#include "internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "model/cell.h"
#include "model/event.h"
#include "rpc/object.h"

enum { CELLS_MAX = 256 };
static const size_t CELL_BYTES_MAX = 128 << 20;

struct api_cell {
    struct gb_list link; /* in the session's, while it waits */
    struct glassbell_session *session;
    struct gb_buf params;
    void (*output)(void *arg, int stream, struct glassbell_bytes bytes);
    glassbell_exec_fn *done;
    void *arg;
    struct gb_err err;
    struct gb_deferred deferred;
};

static void cells_next(struct glassbell_session *session);

static struct glassbell_bytes cells_bytes(const struct gb_buf *buf)
{
    return (struct glassbell_bytes){(const char *)gb_buf_data(buf), buf->size};
}

/* ---- the result ---- */

/* What a result borrows. */
struct cells_result {
    struct glassbell_result result;
    struct glassbell_rollback rollback;
    struct gb_buf out, err, paths;
    struct gb_buf *data; /* of each display */
    struct glassbell_display *displays;
    struct glassbell_file *files;
    const char **refused;
    struct api_texts texts;
};

static void cells_take_displays(struct cells_result *to, const struct gb_cell_info *info)
{
    const size_t count = gb_items_count(&info->displays);
    struct gb_display_info display;
    size_t at = 0;

    to->displays = xcalloc(count, sizeof(*to->displays));
    to->data = xcalloc(count, sizeof(*to->data));
    for (size_t i = 0;
         i < count && gb_items_next(&gb_display_object, &info->displays, &at, &display) > 0; i++) {
        (void)gb_bytes_add_decoded(&to->data[i], display.data,
                                   (display.flags & GB_DISPLAY_BASE64) != 0);
        to->displays[i] = (struct glassbell_display){api_text(&to->texts, display.mime),
                                                     cells_bytes(&to->data[i])};
        to->result.display_count++;
    }
    to->result.displays = to->displays;
}

static void cells_take_files(struct cells_result *to, const struct gb_cell_info *info)
{
    const size_t count = gb_items_count(&info->files);
    struct gb_file_info file;
    size_t at = 0;

    to->files = xcalloc(count, sizeof(*to->files));
    for (size_t i = 0;
         i < count && gb_items_next(&gb_file_info_object, &info->files, &at, &file) > 0; i++) {
        _cleanup_(gb_buf_release) struct gb_buf path = {0};

        (void)gb_bytes_add_decoded(&path, file.path, (file.flags & GB_FILE_INFO_BASE64) != 0);
        to->files[i] = (struct glassbell_file){
            .path = {api_text(&to->texts, gb_buf_bytes(&path)), path.size},
            .change = (enum glassbell_change)file.change,
            .size = file.size,
        };
        to->result.file_count++;
    }
    to->result.files = to->files;
}

static void cells_take_refused(struct cells_result *to, const struct gb_json *json)
{
    const struct gb_json *list = gb_json_member(json, "network_refused"), *at;
    size_t count = list != NULL && list->type == GB_JSON_ARRAY ? list->count : 0;

    to->refused = xcalloc(count + 1, sizeof(*to->refused));
    at = count > 0 ? gb_json_first(list) : NULL;
    for (size_t i = 0; i < count; i++, at = gb_json_next(at))
        to->refused[i] = at->type == GB_JSON_STRING ? api_text(&to->texts, at->text) : "";
    to->result.network_refused = to->refused;
}

static void cells_take_facts(struct cells_result *to, const struct gb_cell_info *info)
{
    const uint32_t flags = info->flags;

    to->result = (struct glassbell_result){
        .cell = info->number,
        .exit_code = (int)info->exit_code,
        .signal = (int)info->signal,
        .timed_out = (flags & GB_CELL_TIMED_OUT) != 0,
        .interrupted = (flags & GB_CELL_INTERRUPTED) != 0,
        .oom = (flags & GB_CELL_OOM) != 0,
        .state_lost = (flags & GB_CELL_STATE_LOST) != 0,
        .out_left_out = info->dropped_stdout,
        .err_left_out = info->dropped_stderr,
        .files_cut = (flags & GB_CELL_FILES_CUT) != 0,
        .wall_ms = (double)info->wall_ns / 1e6,
        .cpu_ms = (double)info->cpu_ns / 1e6,
        .peak_memory = info->peak_memory,
        .note = {(const char *)info->note.data, info->note.size},
        .unrecorded = (flags & GB_CELL_UNRECORDED) != 0,
    };
    if ((flags & GB_CELL_HAS_VALUE) != 0)
        to->result.value =
            (struct glassbell_bytes){(const char *)info->value.data, info->value.size};
    to->rollback = (struct glassbell_rollback){info->rolled_back, info->rolled_back_cell,
                                               info->rolled_back_lost};
    if ((flags & GB_CELL_ROLLED_BACK) != 0)
        to->result.rolled_back = &to->rollback;
}

static void cells_tell(const struct api_cell *cell, const struct gb_json *json)
{
    struct gb_cell_info info;
    struct cells_result to = {0};

    gb_object_take(&gb_cell_object, json, &info);
    api_texts_init(&to.texts);
    cells_take_facts(&to, &info);
    (void)gb_bytes_add_decoded(&to.out, info.out, (info.flags & GB_CELL_OUT_BASE64) != 0);
    (void)gb_bytes_add_decoded(&to.err, info.err, (info.flags & GB_CELL_ERR_BASE64) != 0);
    to.result.out = cells_bytes(&to.out);
    to.result.err = cells_bytes(&to.err);
    cells_take_displays(&to, &info);
    cells_take_files(&to, &info);
    cells_take_refused(&to, json);
    cell->done(cell->arg, &to.result, NULL);
    for (size_t i = 0; i < to.result.display_count; i++)
        gb_buf_release(&to.data[i]);
    gb_buf_release(&to.out);
    gb_buf_release(&to.err);
    free(to.displays);
    free(to.data);
    free(to.files);
    free(to.refused);
    api_texts_release(&to.texts);
}

void api_cells_output(struct glassbell_session *session, const struct gb_json *params)
{
    _cleanup_(gb_buf_release) struct gb_buf bytes = {0};
    struct api_cell *cell = session->cell;
    struct gb_output_info piece;

    if (cell == NULL || cell->output == NULL ||
        gb_object_read(&gb_output_object, params, &piece, NULL) < 0 ||
        (piece.flags & GB_OUTPUT_BACKGROUND) != 0)
        return;
    (void)gb_bytes_add_decoded(&bytes, piece.data, (piece.flags & GB_OUTPUT_BASE64) != 0);
    cell->output(cell->arg, (int)piece.stream, cells_bytes(&bytes));
}

/* ---- running ---- */

/* It has been answered. */
static void cells_end(struct api_cell *cell)
{
    struct glassbell_session *session = cell->session;

    gb_buf_release(&cell->params);
    free(cell);
    session->calls--;
    api_settle(session);
}

static void cells_read_result(struct api_call *call, const struct gb_json *result,
                              const struct glassbell_error *error)
{
    struct glassbell_session *session = call->session;
    struct api_cell *cell = TAKE_PTR(session->cell);

    cells_next(session);
    if (error != NULL)
        cell->done(cell->arg, NULL, error);
    else
        cells_tell(cell, result);
    cells_end(cell);
}

static void cells_leave_queue(struct api_cell *cell)
{
    if (gb_list_empty(&cell->link))
        return;
    gb_list_remove(&cell->link);
    cell->session->cell_count--;
    cell->session->cell_bytes -= cell->params.size;
}

static void cells_next(struct glassbell_session *session)
{
    struct api_cell *cell;

    if (session->cell != NULL || session->dropped || gb_list_empty(&session->cells))
        return;
    cell = container_of(session->cells.next, struct api_cell, link);
    cells_leave_queue(cell);
    session->cell = cell;
    api_call_with(session, "session.exec", &cell->params, cells_read_result, NULL, NULL);
}

static void cells_on_refused(void *arg)
{
    struct api_cell *cell = arg;
    const struct glassbell_error face = api_face(&cell->err);

    cell->done(cell->arg, NULL, &face);
    cells_end(cell);
}

static void cells_refuse(struct api_cell *cell)
{
    cells_leave_queue(cell);
    gb_loop_defer(cell->session->engine->loop, &cell->deferred, cells_on_refused, cell);
}

void api_cells_drop(struct glassbell_session *session)
{
    struct api_cell *cell;

    GB_LIST_FOREACH(cell, &session->cells, link) {
        (void)gb_err_set(&cell->err, GB_ECLOSED, "the session was closed; this cell has not run");
        cells_refuse(cell);
    }
}

/* ---- what is asked for ---- */

static bool cells_is_text(const char *text)
{
    return gb_utf8_valid(gb_bytes_str(text));
}

static void cells_put_args(struct gb_json_out *out, const char *const *args)
{
    bool text = true;

    for (size_t i = 0; args != NULL && args[i] != NULL; i++)
        text = text && cells_is_text(args[i]);
    if (text) {
        api_put_strings(out, "args", args);
        return;
    }
    gb_json_array(out, "args_base64");
    for (size_t i = 0; args[i] != NULL; i++)
        gb_json_put_base64(out, NULL, gb_bytes_str(args[i]));
    gb_json_end(out);
}

static int cells_put_options(struct gb_json_out *out, const struct glassbell_exec_options *options,
                             struct gb_err *err)
{
    const struct gb_bytes input = {(const uint8_t *)options->input.data, options->input.size};
    const char *code = options->code != NULL || options->file != NULL ? options->code : "";

    static_assert((int)GLASSBELL_SHELL == (int)GB_MODE_SHELL, "their order is the same");
    if ((size_t)options->mode >= GB_MODE_COUNT)
        return gb_err_set(err, GB_EINVALID, "there is no mode %d", (int)options->mode);
    if (code != NULL)
        gb_json_put_bytes(out, "code", "code_base64", gb_bytes_str(code));
    if (options->file != NULL)
        gb_json_put_bytes(out, "file", "file_base64", gb_bytes_str(options->file));
    if (options->args != NULL)
        cells_put_args(out, options->args);
    gb_json_put_str(out, "mode", gb_mode_to_string((enum gb_mode)options->mode));
    if (input.size > 0)
        gb_json_put_bytes(out, "stdin", "stdin_base64", input);
    if (options->timeout_ms > 0)
        gb_json_put_u64(out, "timeout_ms", options->timeout_ms);
    if (options->max_stdout > 0)
        gb_json_put_u64(out, "max_stdout", options->max_stdout);
    if (options->max_stderr > 0)
        gb_json_put_u64(out, "max_stderr", options->max_stderr);
    gb_json_put_bool(out, "final", options->final);
    gb_json_put_bool(out, "stream", options->output != NULL);
    gb_json_put_bool(out, "rollback", !options->no_rollback);
    return api_put_env(out, options->env, err);
}

static int cells_check(const struct api_cell *cell, struct gb_err *err)
{
    const struct glassbell_session *session = cell->session;

    if (session->dropped)
        return gb_err_set(err, GB_ECLOSED, "the session was closed");
    if (cell->params.size > GB_LINE_MAX)
        return gb_err_set(err, GB_ETOOLARGE, "the cell is too large");
    if (session->cell_count >= CELLS_MAX ||
        session->cell_bytes + cell->params.size > CELL_BYTES_MAX)
        return gb_err_set(err, GB_EBUSY, "%zu cells of %zu bytes wait already", session->cell_count,
                          session->cell_bytes);
    return 0;
}

void glassbell_exec(struct glassbell_session *session, const struct glassbell_exec_options *options,
                    glassbell_exec_fn *done, void *arg)
{
    struct api_cell *cell = xcalloc(1, sizeof(*cell));
    struct gb_json_out out;
    int r;

    gb_list_init(&cell->link);
    cell->session = session;
    cell->output = options->output;
    cell->done = done;
    cell->arg = arg;
    session->calls++;
    api_begin(&out, &cell->params, session);
    r = cells_put_options(&out, options, &cell->err);
    if (r == 0) {
        gb_json_end(&out);
        r = cells_check(cell, &cell->err);
    }
    if (r < 0) {
        cells_refuse(cell);
        return;
    }
    gb_list_add_tail(&session->cells, &cell->link);
    session->cell_count++;
    session->cell_bytes += cell->params.size;
    cells_next(session);
}

void glassbell_interrupt(struct glassbell_session *session)
{
    struct gb_json_out out;
    struct gb_buf params;

    if (session->cell == NULL || session->dropped)
        return;
    api_begin(&out, &params, session);
    api_call(session, "session.interrupt", &out, api_read_nothing, NULL, NULL);
}

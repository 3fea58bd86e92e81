/* SPDX-License-Identifier: Apache-2.0 */
#include "describe.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "server/cells/state.h"

static void cell_put_signal(struct gb_json_out *out, int signum)
{
    const char *name = signum > 0 ? sigabbrev_np(signum) : NULL;
    char text[32];

    if (signum <= 0) {
        gb_json_put_null(out, "signal");
        return;
    }
    if (name != NULL)
        (void)snprintf(text, sizeof(text), "SIG%s", name);
    else
        (void)snprintf(text, sizeof(text), "SIG%d", signum);
    gb_json_put_str(out, "signal", text);
}

struct gb_record_cell cell_record(const struct exec *exec)
{
    const struct gb_cell *cell = exec->cell;
    const struct hosted *hosted = exec->hosted;

    struct gb_record_cell record = {
        .session = gb_session_id(hosted->session),
        .number = cell->number,
        .incarnation = hosted_incarnation(hosted),
        .state = cell->state,
        .mode = (uint8_t)cell->mode,
        .flags = cell->flags | (exec->client != NULL ? GB_CELL_HAS_CLIENT : 0u) |
                 (exec->failed ? GB_CELL_HAS_ERROR : 0u) |
                 (exec->failed && exec->err.dispatched ? GB_CELL_DISPATCHED : 0u),
        .exit_code = cell->exit_code,
        .signal = (uint32_t)cell->signal,
        .error = exec->failed ? (uint32_t)exec->err.code : 0,
        .started_at_ns = cell->started_ns > 0 ? cell->started_at_ns : 0,
        .wall_ns = cell->wall_ns,
        .cpu_ns = cell->cpu_ns,
        .peak_memory = cell->peak_memory,
        .dropped_stdout = cell->dropped_stdout,
        .dropped_stderr = cell->dropped_stderr,
        .image = gb_bytes_str(gb_session_image(hosted->session)->name),
        .code = gb_buf_bytes(&cell->code),
        .file = gb_buf_bytes(&cell->file),
        .argv = gb_buf_bytes(&cell->argv),
        .out = gb_buf_bytes(&cell->out),
        .err = gb_buf_bytes(&cell->error),
        .value = gb_buf_bytes(&cell->value),
        .note = gb_buf_bytes(&cell->note),
        .displays = cell->displays,
        .files = cell->changed,
    };
    if (exec->client != NULL)
        record.client = gb_bytes_str(exec->client);
    if (exec->failed)
        record.message = gb_bytes_str(exec->err.message);
    return record;
}

static void cell_put_displays(struct gb_json_out *out, const struct gb_record_cell *cell,
                              bool brief)
{
    struct gb_bytes mime, data;
    size_t at = 0;

    gb_json_array(out, "displays");
    while (gb_pairs_next(&cell->displays, &at, &mime, &data) == 1) {
        gb_json_object(out, NULL);
        gb_json_put(out, "mime", mime);
        if (brief)
            gb_json_put_u64(out, "bytes", data.size);
        else
            gb_json_put_base64(out, "base64", data);
        gb_json_end(out);
    }
    gb_json_end(out);
}

static void cell_put_changed(struct gb_json_out *out, const struct gb_record_cell *cell)
{
    struct gb_changed changed;
    size_t at = 0;

    gb_json_array(out, "files");
    while (gb_changed_next(&cell->files, &at, &changed, NULL) > 0) {
        gb_json_object(out, NULL);
        gb_json_put_bytes(out, "path", "path_base64", changed.path);
        gb_json_put_str(out, "change", gb_change_to_string(changed.change));
        gb_json_put_u64(out, "size", changed.size);
        gb_json_end(out);
    }
    gb_json_end(out);
    if ((cell->flags & GB_CELL_FILES_CUT) != 0)
        gb_json_put_bool(out, "files_cut", true);
}

/* The beginning of a text, and whether that is not all of it. */
static void cell_put_beginning(struct gb_json_out *out, const char *key, const char *cut_key,
                               struct gb_bytes text)
{
    if (text.size > GB_EVENT_TEXT_MAX) {
        text.size = GB_EVENT_TEXT_MAX;
        text.size -= gb_utf8_unfinished(text);
        gb_json_put_bool(out, cut_key, true);
    }
    gb_json_put(out, key, text);
}

/* A program's file, and its arguments with its name; briefly not those that are very long. */
static void cell_put_program(struct gb_json_out *out, const struct gb_record_cell *cell, bool brief)
{
    struct gb_bytes left = cell->argv;
    bool text = gb_utf8_valid(left);

    if (cell->file.size > 0)
        gb_json_put_bytes(out, "file", "file_base64", cell->file);
    if (left.size == 0 || (brief && left.size > GB_EVENT_TEXT_MAX))
        return;
    gb_json_array(out, text ? "argv" : "argv_base64");
    while (left.size > 0) {
        const uint8_t *end = memchr(left.data, '\0', left.size);
        size_t size = end == NULL ? left.size : (size_t)(end - left.data);

        if (text)
            gb_json_put(out, NULL, (struct gb_bytes){left.data, size});
        else
            gb_json_put_base64(out, NULL, (struct gb_bytes){left.data, size});
        size = MIN(size + 1, left.size);
        left.data += size;
        left.size -= size;
    }
    gb_json_end(out);
}

static void cell_put_code(struct gb_json_out *out, const struct gb_record_cell *cell, bool brief)
{
    cell_put_program(out, cell, brief);
    if ((cell->flags & GB_CELL_CODE_LOST) != 0) {
        gb_json_put_null(out, "code");
        gb_json_put_bool(out, "code_lost", true);
    } else if (brief) {
        cell_put_beginning(out, "code", "code_cut", cell->code);
    } else {
        gb_json_put(out, "code", cell->code);
    }
    /* What a person is shown of it stands in `code`. */
    if (!brief && !gb_utf8_valid(cell->code))
        gb_json_put_base64(out, "code_base64", cell->code);
}

static void cell_put_texts(struct gb_json_out *out, const struct gb_record_cell *cell, bool brief)
{
    bool has_value = (cell->flags & GB_CELL_HAS_VALUE) != 0;

    if (brief) {
        gb_json_put_u64(out, "stdout_bytes", cell->out.size);
        gb_json_put_u64(out, "stderr_bytes", cell->err.size);
    } else {
        gb_json_put_bytes(out, "stdout", "stdout_base64", cell->out);
        gb_json_put_bytes(out, "stderr", "stderr_base64", cell->err);
    }
    if ((cell->flags & GB_CELL_VALUE_CUT) != 0 && !(brief && cell->value.size > GB_EVENT_TEXT_MAX))
        gb_json_put_bool(out, "value_cut", true);
    if (has_value && brief)
        cell_put_beginning(out, "value", "value_cut", cell->value);
    else if (has_value)
        gb_json_put(out, "value", cell->value);
}

static void cell_put_failure(struct gb_json_out *out, const struct gb_record_cell *cell)
{
    if ((cell->flags & GB_CELL_HAS_ERROR) == 0)
        return;
    gb_json_object(out, "error");
    gb_json_put_str(out, "kind", gb_code_kind((enum gb_code)cell->error));
    gb_json_put(out, "message", cell->message);
    gb_json_put_bool(out, "dispatched", (cell->flags & GB_CELL_DISPATCHED) != 0);
    gb_json_end(out);
}

/* What became of it, as far as it has an end. */
static void cell_put_result(struct gb_json_out *out, const struct gb_record_cell *cell, bool brief)
{
    cell_put_texts(out, cell, brief);
    cell_put_displays(out, cell, brief);
    if (cell->exit_code >= 0)
        gb_json_put_i64(out, "exit_code", cell->exit_code);
    else
        gb_json_put_null(out, "exit_code");
    cell_put_signal(out, (int)cell->signal);
    gb_json_put_bool(out, "timed_out", (cell->flags & GB_CELL_TIMED_OUT) != 0);
    gb_json_put_bool(out, "interrupted", (cell->flags & GB_CELL_INTERRUPTED) != 0);
    gb_json_put_bool(out, "oom", (cell->flags & GB_CELL_OOM) != 0);
    gb_json_put_bool(out, "state_lost", (cell->flags & GB_CELL_STATE_LOST) != 0);
    gb_json_object(out, "truncated");
    gb_json_put_u64(out, "stdout", cell->dropped_stdout);
    gb_json_put_u64(out, "stderr", cell->dropped_stderr);
    gb_json_end(out);
    cell_put_changed(out, cell);
    if (cell->note.size > 0)
        gb_json_put(out, "note", cell->note);
    gb_json_put_ms(out, "wall_ms", cell->wall_ns);
    gb_json_put_ms(out, "cpu_ms", cell->cpu_ns);
    gb_json_put_u64(out, "peak_memory_bytes", cell->peak_memory);
    cell_put_failure(out, cell);
}

void cell_put(struct gb_json_out *out, const struct gb_record_cell *cell, enum cell_detail detail)
{
    bool brief = detail == CELL_BRIEF, result_lost = (cell->flags & GB_CELL_RESULT_LOST) != 0;

    gb_json_put_str(out, "session", cell->session);
    gb_json_put_u64(out, "cell", cell->number);
    gb_json_put(out, "image", cell->image);
    if ((cell->flags & GB_CELL_HAS_CLIENT) != 0)
        gb_json_put(out, "client", cell->client);
    else
        gb_json_put_null(out, "client");
    if (result_lost && (cell->flags & GB_CELL_CODE_LOST) != 0)
        gb_json_put_null(out, "mode"); /* nothing that said it is left */
    else
        gb_json_put_str(out, "mode", gb_mode_to_string(cell->mode));
    gb_json_put_str(out, "state", gb_cell_state_to_string(cell->state));
    cell_put_code(out, cell, brief);
    if (cell->started_at_ns > 0)
        gb_json_put_seconds(out, "started_at", cell->started_at_ns);
    else
        gb_json_put_null(out, "started_at");
    if (result_lost)
        gb_json_put_bool(out, "result_lost", true);
    else
        cell_put_result(out, cell, brief);
}

void cell_put_exec(struct gb_json_out *out, const struct exec *exec, enum cell_detail detail)
{
    const struct gb_record_cell cell = cell_record(exec);

    cell_put(out, &cell, detail);
    cell_put_waiting(out, exec);
    if (exec->unrecorded)
        gb_json_put_bool(out, "unrecorded", true);
}

/* As much of @text as there is room for, and always a little. */
static struct gb_bytes cell_take_room(struct gb_bytes text, size_t *room)
{
    size_t most = MAX(*room, (size_t)GB_SNAPSHOT_CODE_MIN);

    if (text.size > most) {
        text.size = most;
        text.size -= gb_utf8_unfinished(text);
    }
    *room -= MIN(*room, text.size);
    return text;
}

void cell_put_exec_cut(struct gb_json_out *out, const struct exec *exec, size_t *room)
{
    struct gb_record_cell cell = cell_record(exec);
    struct gb_bytes code = cell_take_room(cell.code, room);
    if (code.size < cell.code.size && code.size <= GB_EVENT_TEXT_MAX) {
        gb_json_put_bool(out, "code_cut", true);
        cell.code = code;
    }
    if (cell.argv.size > *room)
        cell.argv.size = 0;
    *room -= MIN(*room, cell.argv.size);
    cell_put(out, &cell, CELL_BRIEF);
    cell_put_waiting(out, exec);
}

/* The line that is not ended: what the program asks for, as far as one can see that. */
static struct gb_bytes cell_open_line(struct gb_bytes text)
{
    size_t size = 0;

    while (size < text.size && size < GB_PROMPT_MAX && text.data[text.size - 1 - size] != '\n')
        size++;
    /* Where it is cut, between characters. */
    while (size > 0 && size == GB_PROMPT_MAX && (text.data[text.size - size] & 0xc0) == 0x80)
        size--;
    return (struct gb_bytes){text.data + text.size - size, size};
}

void cell_put_prompt(struct gb_json_out *out, const struct exec *exec)
{
    struct gb_bytes line = cell_open_line(gb_buf_bytes(&exec->cell->out));

    if (line.size == 0) /* a shell asks on standard error */
        line = cell_open_line(gb_buf_bytes(&exec->cell->error));
    if (exec->waiting && line.size > 0)
        gb_json_put_bytes(out, "prompt", "prompt_base64", line);
}

void cell_put_waiting(struct gb_json_out *out, const struct exec *exec)
{
    if (!exec->waiting)
        return;
    gb_json_put_bool(out, "waiting", true);
    cell_put_prompt(out, exec);
}

void cell_put_waiting_of(struct gb_json_out *out, struct hosted *hosted, uint32_t cell)
{
    const struct exec *exec;

    GB_LIST_FOREACH(exec, &cells_of_session(hosted)->execs, of_session) {
        if (exec->cell->number == cell)
            cell_put_waiting(out, exec);
    }
}

void cell_put_output(struct gb_json_out *out, uint32_t cell, enum gb_output stream,
                     struct gb_bytes bytes, bool background)
{
    gb_json_put_u64(out, "cell", cell);
    gb_json_put_str(out, "stream", gb_output_to_string(stream));
    gb_json_put_bytes(out, "text", "base64", bytes);
    if (background)
        gb_json_put_bool(out, "background", true);
}

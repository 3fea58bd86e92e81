/* SPDX-License-Identifier: Apache-2.0 */
#include "describe.h"

#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "server/cells/state.h"
#include "server/core/cell.h"

struct gb_cell_info cell_record(const struct exec *exec)
{
    const struct gb_cell *cell = exec->cell;
    const struct hosted *hosted = exec->hosted;

    struct gb_cell_info record = {
        .session = gb_bytes_str(gb_session_id(hosted->session)),
        .number = cell->number,
        .incarnation = hosted_incarnation(hosted),
        .state = (uint8_t)cell->state,
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
        .note = gb_buf_bytes(exec->note.size > 0 ? &exec->note : &cell->note),
        .displays = {.pairs = cell->displays},
        .files = {.pairs = cell->changed},
    };
    if (exec->client != NULL)
        record.client = gb_bytes_str(exec->client);
    if (exec->failed)
        record.message = gb_bytes_str(exec->err.message);
    if (exec->rollback.checkpoint != 0) {
        record.flags = (record.flags & ~(uint32_t)GB_CELL_STATE_LOST) | GB_CELL_ROLLED_BACK;
        record.rolled_back = exec->rollback.checkpoint;
        record.rolled_back_cell = exec->rollback.cell;
        record.rolled_back_lost = exec->rollback.lost;
    }
    return record;
}

/* The unfinished line: presumably the program's prompt. */
static struct gb_bytes cell_open_line(struct gb_bytes text)
{
    size_t size = 0;
    bool is_cut;

    while (size < text.size && size < GB_PROMPT_MAX && text.data[text.size - 1 - size] != '\n')
        size++;
    /* Truncate between characters. */
    is_cut = size == GB_PROMPT_MAX;
    while (is_cut && size > 0 && (text.data[text.size - size] & 0xc0) == 0x80)
        size--;
    return (struct gb_bytes){text.data + text.size - size, size};
}

/* The prompt of the waiting program; a shell's is on standard error. */
static struct gb_bytes cell_prompt(const struct exec *exec)
{
    struct gb_bytes line = cell_open_line(gb_buf_bytes(&exec->cell->out));

    return line.size > 0 ? line : cell_open_line(gb_buf_bytes(&exec->cell->error));
}

static void cell_set_waiting(struct gb_cell_info *cell, const struct exec *exec)
{
    if (!exec->waiting)
        return;
    cell->flags |= GB_CELL_WAITING;
    cell->prompt = cell_prompt(exec);
}

/* Like cell_record(), but for clients, which know the incarnation from the session. */
static struct gb_cell_info cell_told(const struct exec *exec)
{
    struct gb_cell_info cell = cell_record(exec);

    cell.incarnation = 0;
    cell.flags |= exec->unrecorded ? GB_CELL_UNRECORDED : 0u;
    cell_set_waiting(&cell, exec);
    return cell;
}

void cell_put_exec(struct gb_json_out *out, const struct exec *exec, enum cell_detail detail)
{
    struct gb_cell_info cell = cell_told(exec);

    if (detail == CELL_BRIEF)
        gb_cell_make_brief(&cell);
    cell_put(out, &cell);
}

void cell_put_exec_cut(struct gb_json_out *out, const struct exec *exec, size_t *room)
{
    struct gb_cell_info cell = cell_told(exec);

    gb_cell_cut_code(&cell, MAX(*room, (size_t)GB_SNAPSHOT_CODE_MIN));
    *room -= MIN(*room, cell.code.size);
    if (cell.argv.size > *room)
        cell.argv.size = 0;
    *room -= MIN(*room, cell.argv.size);
    gb_cell_make_brief(&cell);
    cell_put(out, &cell);
}

void cell_put_prompt(struct gb_json_out *out, const struct exec *exec)
{
    struct gb_bytes line = exec->waiting ? cell_prompt(exec) : gb_bytes_str("");

    if (line.size > 0)
        gb_json_put_bytes(out, "prompt", "prompt_base64", line);
}

void session_set_waiting(struct gb_session_info *info, const struct exec *exec)
{
    info->flags |= GB_SESSION_HAS_WAITING;
    info->waiting_cell = exec->cell->number;
    if (exec->client != NULL)
        info->waiting_client = gb_bytes_str(exec->client);
    info->prompt = cell_prompt(exec);
}

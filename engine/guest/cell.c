/* SPDX-License-Identifier: Apache-2.0 */
/* Cells: one at a time in the guest, their output, and output after their end.
 *
 * Theory of operation. A cell's output arrives in streams with its number (wire/mux.h). The running
 * cell's is passed on, up to its limits: more is a violation, because the agent enforces the limits
 * and counts what it drops. Output that was passed on counts as consumed, and credit is granted
 * again, unless the user of the conversation has paused the output. A timer some time after the
 * guest's own time-out catches a guest that does not keep its word.
 *
 * Output after a cell's end, from processes that it left behind, is consumed as it arrives: it goes
 * to a client that reads, or into a store of fixed size. So credit is always granted again, and a
 * process that prints much is not blocked by a stream that nobody reads.
 */
#include <assert.h>
#include <signal.h>
#include <string.h>

#include "base/mem.h"
#include "base/log.h"
#include "base/utf8.h"
#include "guest/private.h"
#include "wire/frames.h"

/* How long after the guest's SIGKILL the host gives up. Emulation is slow. */
enum { DEADLINE_SLACK_MS = 20000 };

/* ---- the one that runs ---- */

void gb_guest_exec(struct gb_guest *guest, uint32_t number, const struct gb_exec *cell)
{
    assert(gb_guest_listens(guest) && guest->cell.number == 0 && number != 0);
    guest->cell =
        (struct guest_cell){.number = number, .room = {cell->max_stdout, cell->max_stderr}};
    guest->cells_begun = MAX(guest->cells_begun, number);
    gb_guest_add(&guest->out, (struct gb_frame){.type = GB_GUEST_EXEC, .cell = number},
                 &gb_exec_fields, cell);
    if ((cell->flags & GB_EXEC_INTERACTIVE) != 0)
        guest_stdin_open(guest, number);
    guest_flush(guest);
    gb_timer_start(guest->cell_timer, (uint64_t)cell->timeout_ms + GB_WORKER_WAIT_MS +
                                          GB_KILL_GRACE_MS + DEADLINE_SLACK_MS);
}

void guest_cell_late(void *arg)
{
    struct gb_guest *guest = arg;
    struct gb_err err = {0};

    (void)gb_err_set(&err, GB_ECLOSED, "the guest did not end a cell in time");
    if (guest->events.failed != NULL)
        guest->events.failed(guest->arg, &err);
}

void guest_cells_reset(struct gb_guest *guest)
{
    guest->input.stream = NULL; /* unsent input fails with the requests */
    gb_mux_clear(&guest->mux, NULL);
    gb_buf_clear(&guest->out);
    gb_timer_stop(guest->cell_timer);
    guest->cell = (struct guest_cell){0};
    guest->cells_begun = 0;
}

static size_t output_index(const struct gb_mux_stream *stream)
{
    return stream->kind == GB_STREAM_STDOUT ? 0 : 1;
}

static enum gb_output output_of(const struct gb_mux_stream *stream)
{
    return stream->kind == GB_STREAM_STDOUT ? GB_STDOUT : GB_STDERR;
}

/* Also at the end of the cell: later output cannot be held back by anybody. */
static void output_pause(struct gb_guest *guest, bool paused)
{
    for (size_t i = 0; i < ARRAY_SIZE(guest->cell.output); i++)
        if (guest->cell.output[i] != NULL)
            gb_mux_pause(guest->cell.output[i], paused);
}

void gb_guest_pause_output(struct gb_guest *guest, bool paused)
{
    guest->cell.paused = paused;
    output_pause(guest, paused);
    guest_flush(guest);
}

int guest_output_opened(void *arg, struct gb_mux_stream *stream, struct gb_bytes params,
                        struct gb_err *err)
{
    struct gb_guest *guest = arg;
    const struct gb_mux_stream *other;

    (void)params;
    if (stream->cell == 0 || stream->cell > guest->cells_begun)
        return gb_err_set(err, GB_EINTERNAL, "OPEN: cell %u has not begun", stream->cell);
    GB_LIST_FOREACH_CONST(other, &guest->mux.streams, link)
        if (other != stream && other->cell == stream->cell && other->kind == stream->kind)
            return gb_err_set(err, GB_EINTERNAL, "OPEN: cell %u has a %s already", stream->cell,
                              gb_stream_kinds[stream->kind].name);
    if (stream->cell != guest->cell.number)
        return 0;
    guest->cell.output[output_index(stream)] = stream;
    gb_mux_pause(stream, guest->cell.paused);
    return 0;
}

void guest_output_ended(void *arg, struct gb_mux_stream *stream, const struct gb_err *why)
{
    struct gb_guest *guest = arg;

    (void)why;
    if (guest->cell.output[output_index(stream)] == stream)
        guest->cell.output[output_index(stream)] = NULL;
}

int guest_output_data(void *arg, struct gb_mux_stream *stream, struct gb_bytes bytes,
                      struct gb_err *err)
{
    struct gb_guest *guest = arg;
    uint64_t *room = &guest->cell.room[output_index(stream)];
    int r = 0;

    if (stream->cell != guest->cell.number) {
        if (guest->events.background != NULL)
            guest->events.background(guest->arg, stream->cell, output_of(stream), bytes);
        else
            guest_unasked(guest, &(struct gb_frame){.type = GB_GUEST_DATA, .cell = stream->cell});
    } else if (bytes.size > *room) {
        return gb_err_set(err, GB_EINTERNAL, "DATA: more of %s than the cell may have",
                          gb_stream_kinds[stream->kind].name);
    } else {
        *room -= bytes.size;
        if (guest->events.output != NULL)
            r = guest->events.output(guest->arg, output_of(stream), bytes, err);
    }
    if (r == 0)
        gb_mux_consume(stream, bytes.size);
    return r;
}

static int cell_on_display(struct gb_guest *guest, const struct gb_frame *frame, struct gb_err *err)
{
    struct gb_display message;
    int r = gb_fields_decode(&gb_display_fields, frame->payload, &message, err);

    if (r < 0)
        return r;
    if (!gb_utf8_valid(message.mime) || memchr(message.mime.data, '\0', message.mime.size) != NULL)
        return gb_err_set(err, GB_EINTERNAL, "DISPLAY: the mime type is not text");
    if (guest->events.display != NULL)
        return guest->events.display(guest->arg, &message, err);
    guest_unasked(guest, frame);
    return 0;
}

static int cell_on_waiting(struct gb_guest *guest, const struct gb_frame *frame, struct gb_err *err)
{
    struct gb_waiting message;
    int r = gb_fields_decode(&gb_waiting_fields, frame->payload, &message, err);

    if (r < 0)
        return r;
    if (guest->events.waiting != NULL)
        return guest->events.waiting(guest->arg, message.on != 0, err);
    guest_unasked(guest, frame);
    return 0;
}

static int cell_check_done(const struct gb_done *done, struct gb_err *err)
{
    struct gb_changed changed;
    size_t at = 0;
    int r;

    do
        r = gb_changed_next(&done->changed, &at, &changed, err);
    while (r > 0);
    if (r < 0)
        return r;
    if (done->exit_code < -1 || done->exit_code > 255 || done->signal >= (uint32_t)NSIG)
        return gb_err_set(err, GB_EINTERNAL, "DONE: exit code or signal out of range");
    if ((done->flags & ~(uint32_t)GB_DONE_FLAGS_ALL) != 0)
        return gb_err_set(err, GB_EINTERNAL, "DONE: there are no flags %x", done->flags);
    return 0;
}

static int cell_on_done(struct gb_guest *guest, const struct gb_frame *frame, struct gb_err *err)
{
    struct gb_done message;
    int r = gb_fields_decode(&gb_done_fields, frame->payload, &message, err);

    if (r == 0)
        r = cell_check_done(&message, err);
    if (r < 0)
        return r;
    output_pause(guest, false);
    guest_stdin_close(guest, NULL);
    guest_flush(guest);
    gb_timer_stop(guest->cell_timer);
    guest->cell = (struct guest_cell){0};
    if (guest->events.done != NULL)
        return guest->events.done(guest->arg, &message, err);
    guest_unasked(guest, frame);
    return 0;
}

/* ---- frames ---- */

/* A working agent refuses no EXEC: if it lacks room for one it ends it with DONE. Whatever this
 * agent claims, the code was sent and may have run. */
static int cell_on_refused(const struct gb_frame *frame, struct gb_err *err)
{
    _cleanup_(gb_buf_release) struct gb_buf text = {0};
    struct gb_guest_error message;
    int r = gb_fields_decode(&gb_guest_error_fields, frame->payload, &message, err);

    if (r < 0)
        return r;
    gb_escape(&text, message.message, GB_ERR_MESSAGE_MAX);
    return gb_err_set(err, GB_EINTERNAL, "ERROR: cell %u was refused: %.200s", frame->cell,
                      gb_buf_str(&text));
}

static int cell_check_frame(const struct gb_guest *guest, const struct gb_frame *frame,
                            struct gb_err *err)
{
    const struct gb_frame_info *info = gb_frame_info(frame->type);
    const char *name = gb_guest_type_name(frame->type);

    /* An ERROR without a cell is an answer, and has been passed to the requester. */
    if (info == NULL || (info->way & GB_WAY_TO_HOST) == 0 ||
        (info->role != GB_ROLE_CELL && frame->type != GB_GUEST_ERROR))
        return gb_err_set(err, GB_EINTERNAL, "a guest never sends %s (%u)", name, frame->type);
    if (frame->cell == 0 || frame->cell > guest->cells_begun)
        return gb_err_set(err, GB_EINTERNAL, "%s: cell %u has not begun", name, frame->cell);
    return 0;
}

int guest_cell_frame(struct gb_guest *guest, const struct gb_frame *frame, struct gb_err *err)
{
    int r = cell_check_frame(guest, frame, err);

    if (r < 0)
        return r;
    if (frame->type == GB_GUEST_ERROR)
        return cell_on_refused(frame, err);
    if (frame->cell != guest->cell.number) {
        guest_unasked(guest, frame); /* a later READY has replaced it */
        return 0;
    }
    switch (frame->type) {
    case GB_GUEST_DISPLAY:
        return cell_on_display(guest, frame, err);
    case GB_GUEST_WAITING:
        return cell_on_waiting(guest, frame, err);
    default:
        return cell_on_done(guest, frame, err);
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Cells: one at a time in the guest, output under credit, and what they print after their end.
 *
 * Theory of operation. OUTPUT frames of the running cell are handed out, at most as many bytes as
 * it may have (more is a violation: the agent enforces the caps and counts what it leaves out) and
 * never more than the window that there is credit for. What was handed out is credited back in
 * batches unless its user has paused the output: then nothing more may come. A frame takes more of
 * the window than its bytes, so that many small ones, each of which becomes a line to a client, are
 * bounded too. A timer a good while behind the guest's own time-out catches a guest that does not
 * keep its word.
 *
 * What a cell prints after its end, by the processes that it left behind, is disposed of as it
 * comes: it goes to a client that reads, or into a store of fixed size. So it gets its credit back
 * in batches whoever reads, and a process that prints much is not stopped by a window that nobody
 * opens again. The agent lets a fixed number of cells print; the one that printed longest ago makes
 * room here.
 */
#include <assert.h>
#include <signal.h>
#include <string.h>

#include "base/mem.h"
#include "base/log.h"
#include "base/utf8.h"
#include "guest/private.h"
#include "wire/frames.h"

/* How much later than the guest's SIGKILL the host loses its patience. Emulation is slow. */
enum { DEADLINE_SLACK_MS = 20000 };

static void cell_send_credit(struct gb_guest *guest, uint32_t number, uint64_t bytes)
{
    _cleanup_(gb_buf_release) struct gb_buf frames = {0};
    const struct gb_credit message = {bytes};

    gb_guest_add(&frames, (struct gb_frame){.type = GB_GUEST_CREDIT, .cell = number},
                 &gb_credit_fields, &message);
    gb_vm_send(guest->vm, &frames);
}

/* ---- the one that runs ---- */

void gb_guest_exec(struct gb_guest *guest, uint32_t number, const struct gb_exec *cell)
{
    _cleanup_(gb_buf_release) struct gb_buf frames = {0};

    assert(gb_guest_listens(guest) && guest->cell.number == 0 && number != 0);
    guest->cell =
        (struct guest_cell){.number = number, .room = {cell->max_stdout, cell->max_stderr}};
    guest->cells_begun = MAX(guest->cells_begun, number);
    gb_guest_add(&frames, (struct gb_frame){.type = GB_GUEST_EXEC, .cell = number}, &gb_exec_fields,
                 cell);
    gb_vm_send(guest->vm, &frames);
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
    gb_timer_stop(guest->cell_timer);
    guest->cell = (struct guest_cell){0};
    guest->cells_begun = 0;
    memset(guest->printing, 0, sizeof(guest->printing));
}

static void cell_give_credit(struct gb_guest *guest)
{
    if (guest->cell.paused || guest->cell.uncredited < GUEST_CREDIT_BATCH)
        return;
    cell_send_credit(guest, guest->cell.number, guest->cell.uncredited);
    guest->cell.uncredited = 0;
}

void gb_guest_pause_output(struct gb_guest *guest, bool paused)
{
    guest->cell.paused = paused;
    if (guest->cell.number != 0)
        cell_give_credit(guest);
}

static int cell_on_output(struct gb_guest *guest, const struct gb_frame *frame, struct gb_err *err)
{
    enum gb_output stream = (enum gb_output)frame->flags;
    uint64_t *room = &guest->cell.room[stream == GB_STDOUT ? 0 : 1];
    uint32_t number = guest->cell.number;
    size_t cost = frame->payload.size + GB_OUTPUT_COST;
    int r = 0;

    /* What we know to be without credit is never more than what the agent knows to be. */
    if (cost > GB_OUTPUT_WINDOW - guest->cell.uncredited)
        return gb_err_set(err, GB_EINTERNAL, "OUTPUT: more than there was credit for");
    if (frame->payload.size > *room)
        return gb_err_set(err, GB_EINTERNAL, "OUTPUT: more than the cell may have");
    *room -= frame->payload.size;
    guest->cell.uncredited += cost;
    if (guest->events.output != NULL)
        r = guest->events.output(guest->arg, stream, frame->payload, err);
    if (r == 0 && guest->cell.number == number)
        cell_give_credit(guest);
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
    return 0;
}

/* ---- those that have ended ---- */

/* The place of @cell, moved to the front. */
static struct guest_printing *cell_printing(struct gb_guest *guest, uint32_t cell)
{
    struct guest_printing *all = guest->printing, found = {.cell = cell};
    size_t at = 0;

    while (at < GUEST_PRINTING_MAX - 1 && all[at].cell != cell && all[at].cell != 0)
        at++;
    if (all[at].cell == cell)
        found = all[at];
    memmove(all + 1, all, at * sizeof(all[0]));
    all[0] = found;
    return &all[0];
}

static void cell_on_background(struct gb_guest *guest, const struct gb_frame *frame)
{
    struct guest_printing *printing = cell_printing(guest, frame->cell);

    printing->uncredited += frame->payload.size + GB_OUTPUT_COST;
    if (printing->uncredited >= GUEST_CREDIT_BATCH) {
        cell_send_credit(guest, frame->cell, printing->uncredited);
        printing->uncredited = 0;
    }
    guest->events.background(guest->arg, frame->cell, (enum gb_output)frame->flags, frame->payload);
}

static int cell_on_done(struct gb_guest *guest, const struct gb_frame *frame, struct gb_err *err)
{
    struct gb_done message;
    int r = gb_fields_decode(&gb_done_fields, frame->payload, &message, err);

    if (r == 0)
        r = cell_check_done(&message, err);
    if (r < 0)
        return r;
    if (guest->cell.uncredited > 0)
        cell_printing(guest, frame->cell)->uncredited = guest->cell.uncredited;
    gb_timer_stop(guest->cell_timer);
    guest->cell = (struct guest_cell){0};
    if (guest->events.done != NULL)
        return guest->events.done(guest->arg, &message, err);
    guest_unasked(guest, frame);
    return 0;
}

/* ---- frames ---- */

/* An agent that is in step refuses no EXEC: what it has no room for it ends with DONE. Whatever
 * this one says, the code was sent and may have run. */
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

    /* An ERROR without a cell is an answer, and has been given to who asked. */
    if (info == NULL || (info->way & GB_WAY_TO_HOST) == 0 ||
        (info->role != GB_ROLE_CELL && frame->type != GB_GUEST_ERROR))
        return gb_err_set(err, GB_EINTERNAL, "%s (%u) is nothing that a guest sends", name,
                          frame->type);
    if (frame->cell == 0 || frame->cell > guest->cells_begun)
        return gb_err_set(err, GB_EINTERNAL, "%s: cell %u has not begun", name, frame->cell);
    if (frame->type != GB_GUEST_OUTPUT)
        return 0;
    if (frame->flags != GB_STDOUT && frame->flags != GB_STDERR)
        return gb_err_set(err, GB_EINTERNAL, "OUTPUT: stream %u is not one", frame->flags);
    if (frame->payload.size + GB_OUTPUT_COST > GB_OUTPUT_WINDOW)
        return gb_err_set(err, GB_EINTERNAL, "OUTPUT: more than there was credit for");
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
        /* A background process of an earlier cell, or news that has been overtaken. */
        if (frame->type == GB_GUEST_OUTPUT && guest->events.background != NULL)
            cell_on_background(guest, frame);
        else
            guest_unasked(guest, frame);
        return 0;
    }
    switch (frame->type) {
    case GB_GUEST_OUTPUT:
        return cell_on_output(guest, frame, err);
    case GB_GUEST_DISPLAY:
        return cell_on_display(guest, frame, err);
    case GB_GUEST_WAITING:
        return cell_on_waiting(guest, frame, err);
    default:
        return cell_on_done(guest, frame, err);
    }
}

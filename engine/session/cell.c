/* SPDX-License-Identifier: Apache-2.0 */
/* Cells: queued in order, one at a time in the guest.
 *
 * Theory of operation. gb_session_exec() checks and queues. The pump passes the first cell in the
 * queue to the guest once the session is IDLE and files completed earlier have been sent
 * (engine/guest/order.c); from that moment the cell is dispatched. If the user wants to know before
 * that, it is asked from the loop, and may make the cell wait. What the guest reports is added
 * to the cell, within the cell's limits, which the conversation (engine/guest) enforces. While the
 * cell is held its output is paused. WAITING is a state; its changes are not counted. DONE ends the
 * cell.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/utf8.h"
#include "session/env.h"
#include "session/internal.h"
#include "session/program.h"

static struct cell *cell_of(struct gb_cell *shown)
{
    return container_of(shown, struct cell, shown);
}

static void cell_unref(struct cell *cell)
{
    struct gb_cell *shown = &cell->shown;

    if (--cell->refs > 0)
        return;
    gb_buf_release(&shown->code);
    gb_buf_release(&shown->file);
    gb_buf_release(&shown->argv);
    gb_buf_release(&shown->out);
    gb_buf_release(&shown->error);
    gb_buf_release(&shown->value);
    gb_buf_release(&shown->note);
    gb_buf_release(&shown->changed_encoded);
    gb_buf_release(&shown->displays_encoded);
    gb_env_release(&cell->env);
    gb_buf_release(&cell->stdin_data);
    free(cell);
}

void gb_cell_unref(struct gb_cell *cell)
{
    if (cell != NULL)
        cell_unref(cell_of(cell));
}

void gb_cell_take_out(struct gb_cell *cell, struct gb_buf *ret_out)
{
    *ret_out = cell->out;
    cell->out = (struct gb_buf){0};
}

/* Memory used by a cell while it waits. */
static size_t cell_size(const struct cell *cell)
{
    size_t size = cell->shown.code.size + cell->shown.file.size + cell->shown.argv.size +
                  cell->stdin_data.size;

    for (size_t i = 0; i < cell->env.count; i++)
        size += strlen(cell->env.names[i]) + strlen(cell->env.values[i]);
    return size;
}

static void cell_queue_add(struct gb_session *session, struct cell *cell)
{
    gb_list_add_tail(&session->queue, &cell->link);
    session->queued_count++;
    session->queued_bytes += cell_size(cell);
}

/* It has been removed from the list. */
static void cell_queue_left(struct gb_session *session, const struct cell *cell)
{
    session->queued_count--;
    session->queued_bytes -= cell_size(cell);
    if (session->next == SESSION_NEXT_ALLOWED)
        session->next = SESSION_NEXT_UNKNOWN; /* of the one behind it */
}

static int cell_check_config(const struct gb_session *session, const struct gb_cell_config *config,
                             struct gb_err *err)
{
    int r = session_check_open(session, err);

    if (r < 0)
        return r;
    if (session->final)
        return gb_err_set(err, GB_EPOLICY,
                          "the session's last cell was final: its interpreter ends");
    if (session->queued_count >= CELLS_QUEUED_MAX)
        return gb_err_set(err, GB_EBUSY, "%d cells of this session wait already", CELLS_QUEUED_MAX);
    if (session->queued_bytes > 0 &&
        session->queued_bytes + config->code.size + config->stdin_data.size > GB_QUEUED_BYTES_MAX)
        return gb_err_set(err, GB_EBUSY,
                          "the cells of this session that wait hold %zu bytes already",
                          session->queued_bytes);
    if (config->code.size > GB_CODE_MAX)
        return gb_err_set(err, GB_ETOOLARGE,
                          "the code has %zu bytes, and a cell may have %u: send it as a file",
                          config->code.size, GB_CODE_MAX);
    if (config->stdin_data.size > GB_STDIN_MAX)
        return gb_err_set(err, GB_ETOOLARGE,
                          "stdin has %zu bytes, and a cell may have %u: send it as a file",
                          config->stdin_data.size, GB_STDIN_MAX);
    if (config->timeout_ms > GB_TIMEOUT_MAX_MS)
        return gb_err_set(err, GB_EINVALID, "timeout_ms may be at most %u (24 hours)",
                          GB_TIMEOUT_MAX_MS);
    if (config->max_stdout > GB_OUTPUT_MAX || config->max_stderr > GB_OUTPUT_MAX)
        return gb_err_set(err, GB_EINVALID, "max_stdout and max_stderr may be at most %u bytes",
                          GB_OUTPUT_MAX);
    return program_check(config, err);
}

int gb_session_exec(struct gb_session *session, const struct gb_cell_config *config,
                    const struct gb_cell_events *events, void *arg, struct gb_cell **ret_cell,
                    struct gb_err *err)
{
    struct cell *cell;
    int r = cell_check_config(session, config, err);

    if (r < 0)
        return r;
    cell = xcalloc(1, sizeof(*cell));
    gb_list_init(&cell->link);
    gb_list_init(&cell->input);
    if (!gb_buf_try_add(&cell->shown.code, config->code.data, config->code.size, GB_CODE_MAX) ||
        !gb_buf_try_add(&cell->shown.file, config->file.data, config->file.size, GB_PATH_MAX) ||
        !gb_buf_try_add(&cell->shown.argv, config->argv.data, config->argv.size,
                        GB_ARGV_BYTES_MAX) ||
        !gb_buf_try_add(&cell->stdin_data, config->stdin_data.data, config->stdin_data.size,
                        GB_STDIN_MAX)) {
        cell->refs = 1;
        cell_unref(cell);
        return gb_err_set(err, GB_ECAPACITY, "the server has no memory for the code");
    }
    cell->refs = 2;
    cell->events = *events;
    cell->arg = arg;
    cell->env = env_copy(config->env);
    cell->interactive = config->interactive;
    cell->final = session->final = config->final;
    cell->put = config->put;
    cell->timeout_ms = config->timeout_ms > 0 ? config->timeout_ms : session->timeout_ms;
    cell->max_stdout = config->max_stdout > 0 ? config->max_stdout : GB_STDOUT_DEFAULT;
    cell->max_stderr = config->max_stderr > 0 ? config->max_stderr : GB_STDERR_DEFAULT;
    cell->shown.session = session;
    cell->shown.number = ++session->cells_numbered;
    cell->shown.mode = config->mode;
    cell->shown.state = GB_CELL_QUEUED;
    cell->shown.exit_code = -1;
    cell->shown.keeps_loss = config->keeps_loss;
    cell->shown.queued_ns = gb_clock_mono_ns();
    cell->call = gb_guest_call(session->guest);
    cell_queue_add(session, cell);
    session_look(session); /* it changes something when it is sent */
    session_want(session);
    session_cells_pump(session);
    *ret_cell = &cell->shown;
    return 0;
}

static void cell_send(struct gb_session *session, struct cell *cell)
{
    _cleanup_(gb_buf_release) struct gb_buf encoded = {0};
    const struct gb_exec message = {
        .mode = (uint8_t)cell->shown.mode,
        .flags = (uint8_t)((cell->interactive ? GB_EXEC_INTERACTIVE : 0) |
                           (cell->final ? GB_EXEC_FINAL : 0) | (cell->put ? GB_EXEC_PUT : 0)),
        .timeout_ms = cell->timeout_ms,
        .max_stdout = cell->max_stdout,
        .max_stderr = cell->max_stderr,
        .env = env_pairs(&cell->env, &encoded),
        .file = gb_buf_bytes(&cell->shown.file),
        .argv = gb_buf_bytes(&cell->shown.argv),
        .code = gb_buf_bytes(&cell->shown.code),
        .stdin_data = gb_buf_bytes(&cell->stdin_data),
    };

    gb_guest_exec(session->guest, cell->shown.number, &message);
    gb_buf_release(&cell->stdin_data);
    session_input_give(session, cell);
    if (cell->held)
        gb_guest_pause_output(session->guest, true);
}

static void cell_tell_started(struct cell *cell)
{
    if (cell->started_told)
        return;
    cell->started_told = true;
    if (cell->events.started != NULL)
        cell->events.started(cell->arg, &cell->shown);
}

/* Whether the next cell may be sent, as far as the user is concerned; if that is not known, asks
 * from the loop. */
static bool cell_is_allowed(struct gb_session *session)
{
    if (!session->announces || session->next == SESSION_NEXT_ALLOWED)
        return true;
    if (session->next == SESSION_NEXT_UNKNOWN) {
        session->next = SESSION_NEXT_ANNOUNCED;
        gb_loop_defer(session->host->loop, &session->pump, session_cells_tell, session);
    }
    return false;
}

static void cell_announce(struct gb_session *session)
{
    session->next = SESSION_NEXT_UNKNOWN;
    if (session->state != SESSION_IDLE || session->paused || session->delayed > 0 ||
        gb_list_empty(&session->queue))
        return; /* it is announced when it could be sent again */
    session->next = SESSION_NEXT_WAITS;
    if (session->events.sending == NULL || !session->events.sending(session->arg))
        gb_session_send_next(session);
}

void gb_session_announce(struct gb_session *session, bool announce)
{
    session->announces = announce;
}

void gb_session_send_next(struct gb_session *session)
{
    if (session->next != SESSION_NEXT_WAITS || session_is_over(session))
        return;
    session->next = gb_list_empty(&session->queue) ? SESSION_NEXT_UNKNOWN : SESSION_NEXT_ALLOWED;
    session_cells_pump(session);
}

/* Whether nothing is in progress; while paused, nothing but cells that wait. */
static bool cell_nothing_else(const struct gb_session *session)
{
    return session->paused ? gb_guest_check_rest(session->guest, NULL) == 0
                           : gb_session_check_rest(session, NULL) == 0;
}

void session_cells_tell(void *arg)
{
    struct gb_session *session = arg;

    if (session->current != NULL)
        cell_tell_started(session->current);
    if (session->changed) {
        session->changed = false;
        if (session->events.changed != NULL)
            session->events.changed(session->arg);
    }
    if (session->rested) {
        session->rested = false;
        if (session->events.rested != NULL && cell_nothing_else(session))
            session->events.rested(session->arg);
    }
    if (session->wanted) {
        session->wanted = false;
        if (session->state == SESSION_ASLEEP && session->events.wanted != NULL)
            session->events.wanted(session->arg);
    }
    if (session->next == SESSION_NEXT_ANNOUNCED)
        cell_announce(session);
}

/* Removes the next cell from the queue; NULL: none. */
static struct cell *cell_next(struct gb_session *session)
{
    struct cell *cell;

    if (session->state != SESSION_IDLE || session->paused || session->delayed > 0 ||
        gb_list_empty(&session->queue))
        return NULL;
    cell = container_of(session->queue.next, struct cell, link);
    if (gb_guest_is_behind(session->guest, cell->call)) {
        if (session->next == SESSION_NEXT_ALLOWED)
            session->next = SESSION_NEXT_UNKNOWN; /* something comes before it */
        return NULL;
    }
    if (!cell_is_allowed(session))
        return NULL;
    gb_list_remove(&cell->link);
    cell_queue_left(session, cell);
    return cell;
}

void session_cells_pump(struct gb_session *session)
{
    struct cell *cell = cell_next(session);

    if (cell != NULL) {
        session->current = cell;
        cell->shown.state = GB_CELL_RUNNING;
        cell->shown.started_ns = gb_clock_mono_ns();
        cell->shown.started_at_ns = gb_clock_wall_ns();
        cell->shown.changed_before_ns = session->last_changed_ns;
        session_touch(session);
        cell_send(session, cell);
        session_enter(session, SESSION_RUNNING);
    }
    session_tell_changed(session);
}

/* Ends a cell that is in no list any more: notifies its owner and drops the session's reference. */
static void cell_finish(struct cell *cell, const struct gb_err *err)
{
    cell->shown.state = GB_CELL_DONE;
    cell->shown.waiting = false;
    if (cell->events.done != NULL)
        cell->events.done(cell->arg, &cell->shown, err);
    cell->events = (struct gb_cell_events){0};
    session_input_fail(cell, err);
    cell->shown.session = NULL;
    cell_unref(cell);
}

int session_cell_output(void *arg, enum gb_output stream, struct gb_bytes bytes, struct gb_err *err)
{
    struct gb_session *session = arg;
    struct cell *cell = session->current;
    struct gb_buf *kept = stream == GB_STDOUT ? &cell->shown.out : &cell->shown.error;
    uint64_t max = stream == GB_STDOUT ? cell->max_stdout : cell->max_stderr;

    cell_tell_started(cell);
    if (!gb_buf_try_add(kept, bytes.data, bytes.size, max))
        return gb_err_set(err, GB_EINTERNAL, "no memory for output");
    if (cell->events.output != NULL)
        cell->events.output(cell->arg, &cell->shown, stream, bytes);
    return 0;
}

int session_cell_display(void *arg, const struct gb_display *display, struct gb_err *err)
{
    struct gb_session *session = arg;
    struct cell *cell = session->current;
    struct gb_cell *shown = &cell->shown;

    cell_tell_started(cell);
    if (shown->displays.count >= GB_DISPLAY_COUNT_MAX ||
        cell->display_bytes + display->data.size > GB_DISPLAYS_MAX) {
        gb_buf_clear(&shown->note);
        gb_buf_adds(&shown->note, "some displays were left out: a limit was exceeded");
        return 0;
    }
    if (display->data.size > GB_DISPLAY_MAX ||
        gb_buf_reserve(&shown->displays_encoded,
                       GB_PAIR_HEAD + display->mime.size + display->data.size, SIZE_MAX) == NULL)
        return gb_err_set(err, GB_EINTERNAL, "no memory for a display");
    gb_pairs_add(&shown->displays_encoded, &shown->displays.count, display->mime, display->data);
    shown->displays.encoded = gb_buf_bytes(&shown->displays_encoded);
    cell->display_bytes += display->data.size;
    return 0;
}

int session_cell_waiting(void *arg, bool waiting, struct gb_err *err)
{
    struct gb_session *session = arg;
    struct cell *cell = session->current;

    (void)err;
    cell_tell_started(cell);
    if (cell->shown.waiting == waiting)
        return 0;
    cell->shown.waiting = waiting;
    session_enter(session, waiting ? SESSION_WAITING_INPUT : SESSION_RUNNING);
    if (cell->events.waiting != NULL)
        cell->events.waiting(cell->arg, &cell->shown);
    return 0;
}

/* Translates the flags of a guest's DONE to those of a cell: the only place that knows both. */
static uint32_t cell_flags_of(const struct gb_done *done)
{
    static const struct {
        uint32_t done, cell;
    } same[] = {
        {GB_DONE_TIMED_OUT, GB_CELL_TIMED_OUT},
        {GB_DONE_INTERRUPTED, GB_CELL_INTERRUPTED},
        {GB_DONE_OOM, GB_CELL_OOM},
        {GB_DONE_STATE_LOST, GB_CELL_STATE_LOST},
        {GB_DONE_HAS_VALUE, GB_CELL_HAS_VALUE},
        {GB_DONE_VALUE_CUT, GB_CELL_VALUE_CUT},
        {GB_DONE_CHANGED_CUT, GB_CELL_FILES_CUT},
    };
    uint32_t flags = 0;

    for (size_t i = 0; i < ARRAY_SIZE(same); i++)
        flags |= (done->flags & same[i].done) != 0 ? same[i].cell : 0;
    return flags;
}

/* Copies the content of DONE into the cell; no later frame can change it. */
static int cell_take_result(struct gb_cell *cell, const struct gb_done *done, struct gb_err *err)
{
    enum { VALUES = 32 }; /* size of an entry besides its path, and more */
    const struct gb_bytes encoded = done->changed.encoded;

    if (!gb_buf_try_add(&cell->changed_encoded, encoded.data, encoded.size,
                        GB_CHANGED_BYTES_MAX + VALUES * GB_CHANGED_MAX))
        return gb_err_set(err, GB_EINTERNAL, "DONE: too many changed files");
    if (!gb_buf_try_add(&cell->value, done->value.data, done->value.size, GB_VALUE_MAX))
        return gb_err_set(err, GB_EINTERNAL, "no memory for a value");
    cell->changed = (struct gb_pairs){done->changed.count, gb_buf_bytes(&cell->changed_encoded)};
    gb_escape(&cell->note, done->note, GB_NOTE_MAX);
    cell->exit_code = (int)done->exit_code;
    cell->signal = (int)done->signal;
    cell->flags = cell_flags_of(done);
    cell->dropped_stdout = done->dropped_stdout;
    cell->dropped_stderr = done->dropped_stderr;
    cell->wall_ns = done->wall_ns;
    cell->cpu_ns = done->cpu_ns;
    cell->peak_memory = done->peak_memory;
    return 0;
}

static void cell_interpreter_lost(struct gb_session *session, const struct gb_cell *cell)
{
    session->restarted = false;
    session->paused = session->events.interpreter_lost != NULL &&
                      session->events.interpreter_lost(session->arg, cell);
    if (!session->paused)
        session_state_lost(session);
}

int session_cell_done(void *arg, const struct gb_done *done, struct gb_err *err)
{
    struct gb_session *session = arg;
    struct cell *cell = session->current;
    int r;

    cell_tell_started(cell);
    r = cell_take_result(&cell->shown, done, err);
    if (r < 0)
        return r;
    if ((cell->shown.flags & GB_CELL_STATE_LOST) != 0 && cell->shown.mode == GB_MODE_KERNEL)
        cell_interpreter_lost(session, &cell->shown);
    session->current = NULL;
    session_enter(session, SESSION_IDLE);
    session_touch(session);
    /* Start the next one before notifying the owner of this one: the guest need not wait for
     * that. */
    session_cells_pump(session);
    cell_finish(cell, NULL);
    return 0;
}

void session_cell_fail(struct gb_session *session, const struct gb_err *why)
{
    struct cell *cell = TAKE_PTR(session->current);
    struct gb_err err = *why;

    if (cell == NULL)
        return;
    cell_tell_started(cell);
    err.code = GB_EUNKNOWN;
    err.dispatched = true;
    (void)gb_err_wrap(&err, 0, "the VM ended while the code was running");
    cell_finish(cell, &err);
}

void session_cells_fail(struct gb_session *session, const struct gb_err *why)
{
    struct gb_err err;
    struct cell *cell;
    struct gb_list *link;

    session_cell_fail(session, why);
    while ((link = gb_list_pop(&session->queue)) != NULL) {
        err = *why;
        err.code = session_was_open(session) ? GB_ECLOSED : why->code;
        err.dispatched = false;
        cell = container_of(link, struct cell, link);
        cell_queue_left(session, cell);
        cell_finish(cell, &err);
    }
}

void session_cells_refuse(struct gb_session *session, const struct gb_err *why)
{
    struct gb_list *link;

    while ((link = gb_list_pop(&session->queue)) != NULL) {
        struct cell *cell = container_of(link, struct cell, link);

        cell_queue_left(session, cell);
        session->final = session->final && !cell->final;
        cell_finish(cell, why);
    }
}

void gb_cell_hold(struct gb_cell *shown, bool held)
{
    struct cell *cell = cell_of(shown);

    cell->held = held;
    if (shown->state == GB_CELL_RUNNING)
        gb_guest_pause_output(shown->session->guest, held);
}

static int cell_send_interrupt(struct gb_session *session, struct cell *cell, struct gb_err *err)
{
    const struct gb_interrupt_request message = {GB_INTERRUPT_SIGINT};

    /* DONE will tell its effect. */
    return session_request(session, GB_GUEST_INTERRUPT, cell->shown.number, &gb_interrupt_fields,
                           &message, 0, NULL, NULL, err);
}

/* Ends queued cells that were interrupted. */
static void cells_drop_interrupted(void *arg)
{
    struct gb_session *session = arg;
    struct cell *cell;
    struct gb_list dropped, *link;

    gb_list_init(&dropped);
    GB_LIST_FOREACH(cell, &session->queue, link) {
        if (cell->interrupt_wanted) {
            gb_list_remove(&cell->link);
            gb_list_add_tail(&dropped, &cell->link);
            cell_queue_left(session, cell);
        }
    }
    while ((link = gb_list_pop(&dropped)) != NULL) {
        cell = container_of(link, struct cell, link);
        cell->shown.flags |= GB_CELL_INTERRUPTED;
        cell_finish(cell, NULL);
    }
    session_tell_changed(session);
}

void gb_cell_interrupt(struct gb_cell *shown)
{
    struct cell *cell = cell_of(shown);
    struct gb_session *session = shown->session;

    if (shown->state == GB_CELL_RUNNING) {
        (void)cell_send_interrupt(session, cell,
                                  NULL); /* the end of the session ends the cell too */
        return;
    }
    if (shown->state != GB_CELL_QUEUED)
        return;
    /* Calling back from here would break the rule that no callback comes from within a call: it is
     * ended from the loop. */
    cell->interrupt_wanted = true;
    gb_loop_defer(session->host->loop, &session->drop, cells_drop_interrupted, session);
}

void gb_session_drop_queued(struct gb_session *session)
{
    struct cell *cell;

    GB_LIST_FOREACH(cell, &session->queue, link)
        cell->interrupt_wanted = true;
    gb_loop_defer(session->host->loop, &session->drop, cells_drop_interrupted, session);
}

int gb_session_interrupt(struct gb_session *session, struct gb_err *err)
{
    /* The cell that would be running if no checkpoint was being taken, or it was awake. */
    if ((session->state == SESSION_HELD || session->state == SESSION_ASLEEP ||
         session->next != SESSION_NEXT_UNKNOWN) &&
        session->current == NULL && !gb_list_empty(&session->queue)) {
        gb_cell_interrupt(&container_of(session->queue.next, struct cell, link)->shown);
        return 0;
    }
    if (session->current == NULL)
        return gb_err_set(err, GB_ENOTFOUND, "no cell is running in this session");
    return cell_send_interrupt(session, session->current, err);
}

int gb_session_stdin(struct gb_session *session, uint32_t number, struct gb_bytes data, bool eof,
                     gb_vm_done_fn *done, void *arg, struct gb_err *err)
{
    struct cell *cell = session->current;

    /* The one that would be running if nothing came before it. */
    if (cell == NULL && !gb_list_empty(&session->queue))
        cell = container_of(session->queue.next, struct cell, link);
    if (cell == NULL || !cell->interactive)
        return gb_err_set(err, GB_ENOTFOUND, "no interactive cell is running in this session");
    if (number != 0 && cell->shown.number != number)
        return gb_err_set(err, GB_ENOTFOUND, "cell %u is not running", number);
    if (data.size > GB_STDIN_PENDING_MAX)
        return gb_err_set(err, GB_ETOOLARGE,
                          "at most %u bytes of standard input can be sent at once",
                          GB_STDIN_PENDING_MAX);
    if (cell != session->current)
        return session_input_keep(cell, data, eof, done, arg, err);
    session_touch(session);
    return gb_guest_stdin(session->guest, data, eof, done, arg, err);
}

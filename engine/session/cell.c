/* SPDX-License-Identifier: Apache-2.0 */
/* Cells: queued in order, one at a time in the guest, output under credit.
 *
 * Theory of operation. gb_session_exec() checks and queues. The pump sends the first of the queue
 * as EXEC as soon as the session is ready and nothing runs; from that moment the cell is
 * dispatched. OUTPUT frames are added to the cell, at most as many bytes as it asked for (more is a
 * violation: the agent enforces the caps and counts what it leaves out) and never more than the
 * window that it has credit for. What was added is credited back in batches unless the cell is
 * held: then nothing more may come. A frame takes more of the window than its bytes, so that many
 * small ones, each of which becomes a line to a client, are bounded too. WAITING is a state, of
 * which nobody counts the changes. DONE ends the cell. A timer a good while behind the guest's own
 * time-out catches a guest that does not keep its word: the VM is killed then.
 */
#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/utf8.h"
#include "session/env.h"
#include "session/internal.h"
#include "session/program.h"

/* How much later than the guest's SIGKILL the host loses its patience. Emulation is slow. */
enum { DEADLINE_SLACK_MS = 20000 };

static const char *const state_names[] = {"queued", "running", "done"};
static_assert(ARRAY_SIZE(state_names) == GB_CELL_STATE_COUNT, "a name for each state");

const char *gb_cell_state_name(enum gb_cell_state state)
{
    return state_names[state];
}

static struct cell *from_pub(struct gb_cell *cell)
{
    return container_of(cell, struct cell, pub);
}

static void cell_unref(struct cell *cell)
{
    struct gb_cell *pub = &cell->pub;

    if (--cell->refs > 0)
        return;
    gb_buf_release(&pub->code);
    gb_buf_release(&pub->file);
    gb_buf_release(&pub->argv);
    gb_buf_release(&pub->out);
    gb_buf_release(&pub->error);
    gb_buf_release(&pub->value);
    gb_buf_release(&pub->note);
    gb_buf_release(&pub->changed_encoded);
    for (size_t i = 0; i < pub->display_count; i++) {
        free(pub->displays[i].mime);
        gb_buf_release(&pub->displays[i].data);
    }
    free(pub->displays);
    gb_env_release(&cell->env);
    gb_buf_release(&cell->stdin_data);
    free(cell);
}

void gb_cell_unref(struct gb_cell *cell)
{
    if (cell != NULL)
        cell_unref(from_pub(cell));
}

/* What a cell holds in memory while it waits. */
static size_t size_of(const struct cell *cell)
{
    size_t size =
        cell->pub.code.size + cell->pub.file.size + cell->pub.argv.size + cell->stdin_data.size;

    for (size_t i = 0; i < cell->env.count; i++)
        size += strlen(cell->env.names[i]) + strlen(cell->env.values[i]);
    return size;
}

static void queue_add(struct gb_session *session, struct cell *cell)
{
    gb_list_add_tail(&session->queue, &cell->link);
    session->queued_count++;
    session->queued_bytes += size_of(cell);
}

/* It has been taken out of the list. */
static void queue_left(struct gb_session *session, const struct cell *cell)
{
    session->queued_count--;
    session->queued_bytes -= size_of(cell);
}

static int check_config(const struct gb_session *session, const struct gb_cell_config *config,
                        struct gb_err *err)
{
    if (session->state == GB_SESSION_CLOSED || session->closing)
        return gb_err_set(err, GB_ECLOSED, "the session has ended: %s",
                          session->why.message[0] != '\0' ? session->why.message : "closing");
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
    int r = check_config(session, config, err);

    if (r < 0)
        return r;
    cell = xcalloc(1, sizeof(*cell));
    gb_list_init(&cell->link);
    if (!gb_buf_try_add(&cell->pub.code, config->code.data, config->code.size, GB_CODE_MAX) ||
        !gb_buf_try_add(&cell->pub.file, config->file.data, config->file.size, GB_PATH_MAX) ||
        !gb_buf_try_add(&cell->pub.argv, config->argv.data, config->argv.size, GB_ARGV_BYTES_MAX) ||
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
    cell->pub.session = session;
    cell->pub.number = ++session->cells_numbered;
    cell->pub.mode = config->mode;
    cell->pub.state = GB_CELL_QUEUED;
    cell->pub.exit_code = -1;
    cell->pub.queued_ns = gb_clock_mono_ns();
    queue_add(session, cell);
    session_touch(session);
    cell_pump(session);
    *ret_cell = &cell->pub;
    return 0;
}

static void send_exec(struct gb_session *session, struct cell *cell)
{
    _cleanup_(gb_buf_release) struct gb_buf frames = {0}, encoded = {0};
    const struct gb_exec message = {
        .mode = (uint8_t)cell->pub.mode,
        .flags = (uint8_t)((cell->interactive ? GB_EXEC_INTERACTIVE : 0) |
                           (cell->final ? GB_EXEC_FINAL : 0) | (cell->put ? GB_EXEC_PUT : 0)),
        .timeout_ms = cell->timeout_ms,
        .max_stdout = cell->max_stdout,
        .max_stderr = cell->max_stderr,
        .env = env_pairs(&cell->env, &encoded),
        .file = gb_buf_bytes(&cell->pub.file),
        .argv = gb_buf_bytes(&cell->pub.argv),
        .code = gb_buf_bytes(&cell->pub.code),
        .stdin_data = gb_buf_bytes(&cell->stdin_data),
    };

    gb_guest_add(&frames, (struct gb_frame){.type = GB_GUEST_EXEC, .cell = cell->pub.number},
                 &gb_exec_fields, &message);
    gb_buf_release(&cell->stdin_data);
    session_send(session, &frames);
}

static void tell_started(struct cell *cell)
{
    if (cell->started_told)
        return;
    cell->started_told = true;
    if (cell->events.started != NULL)
        cell->events.started(cell->arg, &cell->pub);
}

static void on_pump(void *arg)
{
    struct gb_session *session = arg;

    if (session->current != NULL)
        tell_started(session->current);
    if (session->changed) {
        session->changed = false;
        if (session->events.changed != NULL)
            session->events.changed(session->arg);
    }
}

void cell_pump(struct gb_session *session)
{
    struct gb_list *link;
    struct cell *cell;

    if (session->current == NULL && session->opened_told && !session->closing &&
        (link = gb_list_pop(&session->queue)) != NULL) {
        cell = container_of(link, struct cell, link);
        queue_left(session, cell);
        session->current = cell;
        session->cells_begun = cell->pub.number;
        cell->pub.state = GB_CELL_RUNNING;
        cell->pub.started_ns = gb_clock_mono_ns();
        cell->pub.started_at_ns = gb_clock_wall_ns();
        send_exec(session, cell);
        gb_timer_start(session->cell_timer, (uint64_t)cell->timeout_ms + GB_WORKER_WAIT_MS +
                                                GB_KILL_GRACE_MS + DEADLINE_SLACK_MS);
    }
    session_update(session);
    gb_loop_defer(session->host->loop, &session->pump, on_pump, session);
}

/* Ends a cell that is in no list any more: tells its owner and drops the session's reference. */
static void finish(struct cell *cell, const struct gb_err *err)
{
    cell->pub.state = GB_CELL_DONE;
    cell->pub.waiting = false;
    if (cell->events.done != NULL)
        cell->events.done(cell->arg, &cell->pub, err);
    cell->events = (struct gb_cell_events){0};
    cell->pub.session = NULL;
    cell_unref(cell);
}

static void give_credit(struct gb_session *session, struct cell *cell)
{
    send_credit(session, cell->pub.number, cell->uncredited);
    cell->uncredited = 0;
}

static int on_output(struct gb_session *session, struct cell *cell, const struct gb_frame *frame,
                     struct gb_err *err)
{
    enum gb_output stream = (enum gb_output)frame->flags;
    struct gb_buf *kept = stream == GB_STDOUT ? &cell->pub.out : &cell->pub.error;
    uint64_t max = stream == GB_STDOUT ? cell->max_stdout : cell->max_stderr;
    struct gb_bytes bytes = frame->payload;
    size_t cost = bytes.size + GB_OUTPUT_COST;

    /* What we know to be without credit is never more than what the agent knows to be. */
    if (cost > GB_OUTPUT_WINDOW - cell->uncredited)
        return gb_err_set(err, GB_EINTERNAL, "OUTPUT: more than there was credit for");
    if (!gb_buf_try_add(kept, bytes.data, bytes.size, max))
        return gb_err_set(err, GB_EINTERNAL, "OUTPUT: more than the cell may have");
    cell->uncredited += cost;
    if (cell->events.output != NULL)
        cell->events.output(cell->arg, &cell->pub, stream, bytes);
    if (!cell->held && cell->uncredited >= CREDIT_BATCH)
        give_credit(session, cell);
    return 0;
}

static int on_display(struct cell *cell, const struct gb_frame *frame, struct gb_err *err)
{
    struct gb_cell *pub = &cell->pub;
    struct gb_display message;
    struct gb_cell_display *slot;
    int r = gb_fields_decode(&gb_display_fields, frame->payload, &message, err);

    if (r < 0)
        return r;
    if (!gb_utf8_valid(message.mime) || memchr(message.mime.data, '\0', message.mime.size) != NULL)
        return gb_err_set(err, GB_EINTERNAL, "DISPLAY: the mime type is not text");
    if (pub->display_count >= GB_DISPLAY_COUNT_MAX ||
        cell->display_bytes + message.data.size > GB_DISPLAYS_MAX) {
        gb_buf_clear(&pub->note);
        gb_buf_adds(&pub->note, "some displays were left out: a limit was passed");
        return 0;
    }
    if (pub->displays == NULL)
        pub->displays = xcalloc(GB_DISPLAY_COUNT_MAX, sizeof(*pub->displays));
    slot = &pub->displays[pub->display_count];
    if (!gb_buf_try_add(&slot->data, message.data.data, message.data.size, GB_DISPLAY_MAX))
        return gb_err_set(err, GB_EINTERNAL, "no memory for a display");
    slot->mime = xstrndup((const char *)message.mime.data, message.mime.size);
    cell->display_bytes += message.data.size;
    pub->display_count++;
    return 0;
}

static int on_waiting(struct gb_session *session, struct cell *cell, const struct gb_frame *frame,
                      struct gb_err *err)
{
    struct gb_waiting message;
    int r = gb_fields_decode(&gb_waiting_fields, frame->payload, &message, err);

    if (r < 0 || cell->pub.waiting == (message.on != 0))
        return r;
    cell->pub.waiting = message.on != 0;
    session->state = message.on != 0 ? GB_SESSION_WAITING_INPUT : GB_SESSION_RUNNING;
    session->changed = true;
    gb_loop_defer(session->host->loop, &session->pump, on_pump, session);
    if (cell->events.waiting != NULL)
        cell->events.waiting(cell->arg, &cell->pub);
    return 0;
}

/* Copies the list of changed files, of which every entry is one. */
static int take_changed(struct gb_cell *cell, const struct gb_done *done, struct gb_err *err)
{
    enum { VALUES = 32 }; /* what an entry takes beside its path, and more */
    const struct gb_bytes encoded = done->changed.encoded;
    struct gb_changed changed;
    size_t at = 0;
    int r;

    do
        r = gb_changed_next(&done->changed, &at, &changed, err);
    while (r > 0);
    if (r < 0)
        return r;
    if (!gb_buf_try_add(&cell->changed_encoded, encoded.data, encoded.size,
                        GB_CHANGED_BYTES_MAX + VALUES * GB_CHANGED_MAX))
        return gb_err_set(err, GB_EINTERNAL, "DONE: too many changed files");
    cell->changed = (struct gb_pairs){done->changed.count, gb_buf_bytes(&cell->changed_encoded)};
    cell->changed_cut = (done->flags & GB_DONE_CHANGED_CUT) != 0;
    return 0;
}

/* Copies what DONE says into the cell, which no later frame can change. */
static int take_result(struct gb_cell *cell, const struct gb_done *done, struct gb_err *err)
{
    int r = take_changed(cell, done, err);

    if (r < 0)
        return r;
    if (done->exit_code < -1 || done->exit_code > 255 || done->signal >= (uint32_t)NSIG)
        return gb_err_set(err, GB_EINTERNAL, "DONE: exit code or signal out of range");
    if (!gb_buf_try_add(&cell->value, done->value.data, done->value.size, GB_VALUE_MAX))
        return gb_err_set(err, GB_EINTERNAL, "no memory for a value");
    gb_escape(&cell->note, done->note, GB_NOTE_MAX);
    cell->exit_code = (int)done->exit_code;
    cell->signal = (int)done->signal;
    cell->timed_out = (done->flags & GB_DONE_TIMED_OUT) != 0;
    cell->interrupted = (done->flags & GB_DONE_INTERRUPTED) != 0;
    cell->oom = (done->flags & GB_DONE_OOM) != 0;
    cell->state_lost = (done->flags & GB_DONE_STATE_LOST) != 0;
    cell->has_value = (done->flags & GB_DONE_HAS_VALUE) != 0;
    cell->value_cut = (done->flags & GB_DONE_VALUE_CUT) != 0;
    cell->dropped_stdout = done->dropped_stdout;
    cell->dropped_stderr = done->dropped_stderr;
    cell->wall_ns = done->wall_ns;
    cell->cpu_ns = done->cpu_ns;
    cell->peak_memory = done->peak_memory;
    return 0;
}

static int on_done(struct gb_session *session, struct cell *cell, const struct gb_frame *frame,
                   struct gb_err *err)
{
    struct gb_done message;
    int r = gb_fields_decode(&gb_done_fields, frame->payload, &message, err);

    if (r == 0)
        r = take_result(&cell->pub, &message, err);
    if (r < 0)
        return r;
    if (cell->pub.state_lost && cell->pub.mode == GB_MODE_KERNEL)
        session_state_lost(session);
    printing_begin(session, cell->pub.number, cell->uncredited);
    gb_timer_stop(session->cell_timer);
    session->current = NULL;
    session_touch(session);
    /* The next one starts before the owner of this one is told: the guest need not wait for it. */
    cell_pump(session);
    finish(cell, NULL);
    return 0;
}

/* An agent that is in step refuses no EXEC: what it has no room for it ends with DONE. Whatever
 * this one says, the code was sent and may have run. */
static int on_refused(const struct gb_frame *frame, struct gb_err *err)
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

static int check_frame(const struct gb_session *session, const struct gb_frame *frame,
                       struct gb_err *err)
{
    static const uint16_t types[] = {GB_GUEST_OUTPUT, GB_GUEST_DISPLAY, GB_GUEST_WAITING,
                                     GB_GUEST_DONE, GB_GUEST_ERROR};
    const char *name = gb_guest_type_name(frame->type);
    size_t i = 0;

    while (i < ARRAY_SIZE(types) && types[i] != frame->type)
        i++;
    if (i == ARRAY_SIZE(types))
        return gb_err_set(err, GB_EINTERNAL, "%s (%u) is nothing that a guest sends", name,
                          frame->type);
    if (frame->cell == 0 || frame->cell > session->cells_begun)
        return gb_err_set(err, GB_EINTERNAL, "%s: cell %u has not begun", name, frame->cell);
    if (frame->type != GB_GUEST_OUTPUT)
        return 0;
    if (frame->flags != GB_STDOUT && frame->flags != GB_STDERR)
        return gb_err_set(err, GB_EINTERNAL, "OUTPUT: stream %u is not one", frame->flags);
    if (frame->payload.size + GB_OUTPUT_COST > GB_OUTPUT_WINDOW)
        return gb_err_set(err, GB_EINTERNAL, "OUTPUT: more than there was credit for");
    return 0;
}

int cell_frame(struct gb_session *session, const struct gb_frame *frame, struct gb_err *err)
{
    struct cell *cell = session->current;
    int r = check_frame(session, frame, err);

    if (r < 0)
        return r;
    if (frame->type == GB_GUEST_ERROR)
        return on_refused(frame, err);
    if (cell == NULL || cell->pub.number != frame->cell) {
        /* A background process of an earlier cell, or news that has been overtaken. */
        if (frame->type == GB_GUEST_OUTPUT)
            printing_output(session, frame);
        return 0;
    }
    tell_started(cell);
    switch (frame->type) {
    case GB_GUEST_OUTPUT:
        return on_output(session, cell, frame, err);
    case GB_GUEST_DISPLAY:
        return on_display(cell, frame, err);
    case GB_GUEST_WAITING:
        return on_waiting(session, cell, frame, err);
    default:
        return on_done(session, cell, frame, err);
    }
}

void cell_fail_all(struct gb_session *session, const struct gb_err *why)
{
    struct cell *cell = TAKE_PTR(session->current);
    struct gb_err err = *why;
    struct gb_list *link;

    gb_timer_stop(session->cell_timer);
    if (cell != NULL) {
        tell_started(cell);
        err.code = GB_EUNKNOWN;
        err.dispatched = true;
        (void)gb_err_wrap(&err, 0, "the VM ended while the code was running");
        finish(cell, &err);
    }
    while ((link = gb_list_pop(&session->queue)) != NULL) {
        err = *why;
        err.code = session->opened_told && session->ready ? GB_ECLOSED : why->code;
        err.dispatched = false;
        cell = container_of(link, struct cell, link);
        queue_left(session, cell);
        finish(cell, &err);
    }
}

void gb_cell_hold(struct gb_cell *pub, bool held)
{
    struct cell *cell = from_pub(pub);

    cell->held = held;
    if (!held && pub->state == GB_CELL_RUNNING && cell->uncredited >= CREDIT_BATCH)
        give_credit(pub->session, cell);
}

static void ignore_reply(void *arg, const struct gb_frame *frame, const struct gb_err *err)
{
    (void)arg; /* what an interrupt did is told by DONE */
    (void)frame;
    (void)err;
}

static int send_interrupt(struct gb_session *session, struct cell *cell, struct gb_err *err)
{
    const struct gb_interrupt_request message = {GB_INTERRUPT_SIGINT};

    return request_send(session, GB_GUEST_INTERRUPT, cell->pub.number, &gb_interrupt_fields,
                        &message, 0, ignore_reply, NULL, err);
}

void gb_cell_interrupt(struct gb_cell *pub)
{
    struct cell *cell = from_pub(pub);
    struct gb_session *session = pub->session;

    if (pub->state == GB_CELL_RUNNING) {
        (void)send_interrupt(session, cell, NULL); /* the end of the session ends the cell too */
        return;
    }
    if (pub->state != GB_CELL_QUEUED)
        return;
    /* Told from here rather than later would break the rule that no callback comes from within a
     * call; it moves to the head of what the pump tells. */
    cell->interrupt_wanted = true;
    gb_loop_defer(session->host->loop, &session->drop, cell_drop_interrupted, session);
}

void cell_drop_interrupted(void *arg)
{
    struct gb_session *session = arg;
    struct cell *cell;
    struct gb_list dropped, *link;

    gb_list_init(&dropped);
    GB_LIST_FOREACH(cell, &session->queue, link) {
        if (cell->interrupt_wanted) {
            gb_list_remove(&cell->link);
            gb_list_add_tail(&dropped, &cell->link);
            queue_left(session, cell);
        }
    }
    while ((link = gb_list_pop(&dropped)) != NULL) {
        cell = container_of(link, struct cell, link);
        cell->pub.interrupted = true;
        finish(cell, NULL);
    }
    session_update(session);
}

int gb_session_interrupt(struct gb_session *session, struct gb_err *err)
{
    if (session->current == NULL)
        return gb_err_set(err, GB_ENOTFOUND, "no cell is running in this session");
    return send_interrupt(session, session->current, err);
}

int gb_session_stdin(struct gb_session *session, uint32_t number, struct gb_bytes data, bool eof,
                     gb_reply_fn *done, void *arg, struct gb_err *err)
{
    const struct gb_stdin message = {eof, data};
    struct cell *cell = session->current;

    if (cell == NULL || !cell->interactive)
        return gb_err_set(err, GB_ENOTFOUND, "no interactive cell is running in this session");
    if (number != 0 && cell->pub.number != number)
        return gb_err_set(err, GB_ENOTFOUND, "cell %u is not running", number);
    if (data.size > GB_STDIN_PENDING_MAX)
        return gb_err_set(err, GB_ETOOLARGE,
                          "at most %u bytes of standard input can be sent at once",
                          GB_STDIN_PENDING_MAX);
    return request_send(session, GB_GUEST_STDIN, cell->pub.number, &gb_stdin_fields, &message, 0,
                        done, arg, err);
}

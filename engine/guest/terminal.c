/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/terminal.h"

#include <signal.h>
#include <stdlib.h>

#include "base/mem.h"
#include "guest/private.h"

struct gb_terminal {
    struct gb_list link; /* in guest->terminals */
    struct gb_guest *guest;
    struct gb_terminal_events events;
    void *arg;
    uint32_t number;
    struct gb_mux_stream *stream; /* NULL: not opened, or over */
    struct gb_buf input;
    bool asked;   /* the request is in progress */
    bool started; /* and has succeeded */
    bool over;    /* no further callbacks */
    bool freed;   /* by its user; what is in progress has to end first */
    bool hang_up; /* once all input has been sent */
};

static void terminal_free(struct gb_terminal *terminal)
{
    gb_list_remove(&terminal->link);
    gb_buf_release(&terminal->input);
    free(terminal);
}

static void terminal_end(struct gb_terminal *terminal, const struct gb_terminal_end *end,
                         const struct gb_err *why)
{
    gb_buf_release(&terminal->input);
    if (terminal->over || !terminal->started)
        return;
    terminal->over = true;
    if (!terminal->freed)
        terminal->events.ended(terminal->arg, end, why);
}

/* ---- the request ---- */

static void terminal_on_answer(void *arg, const struct gb_frame *frame, const struct gb_err *err)
{
    struct gb_terminal *terminal = arg;
    struct gb_err problem = {0};

    terminal->asked = false;
    if (frame != NULL && terminal->stream == NULL) {
        (void)gb_err_set(&problem, GB_EINTERNAL, "TERMINAL: its stream was not opened");
        guest_violation(terminal->guest, &problem);
        err = &problem;
    }
    terminal->started = err == NULL;
    terminal->over = !terminal->started;
    if (!terminal->freed) {
        terminal->events.started(terminal->arg, err);
        return;
    }
    if (terminal->stream != NULL)
        gb_mux_reset(terminal->stream, &(struct gb_err){.code = GB_ENOTFOUND});
    terminal_free(terminal);
}

int gb_terminal_open(struct gb_guest *guest, const struct gb_terminal_config *config,
                     const struct gb_terminal_events *events, void *arg,
                     struct gb_terminal **ret_terminal, struct gb_err *err)
{
    struct gb_terminal *terminal = xcalloc(1, sizeof(*terminal));
    const struct gb_terminal_request request = {.number = ++guest->terminals_begun,
                                                .rows = config->rows,
                                                .columns = config->columns,
                                                .env = config->env,
                                                .argv = config->argv};
    int r;

    terminal->guest = guest;
    terminal->events = *events;
    terminal->arg = arg;
    terminal->number = request.number;
    terminal->asked = true;
    gb_list_add_tail(&guest->terminals, &terminal->link);
    r = gb_guest_request(guest, GB_GUEST_TERMINAL, 0, &gb_terminal_fields, &request, 0,
                         terminal_on_answer, terminal, err);
    if (r < 0) {
        terminal_free(terminal);
        return r;
    }
    *ret_terminal = terminal;
    return 0;
}

/* ---- streams ---- */

int guest_terminal_opened(void *arg, struct gb_mux_stream *stream, struct gb_bytes params,
                          struct gb_err *err)
{
    struct gb_guest *guest = arg;
    struct gb_terminal_open open;
    struct gb_terminal *terminal;
    int r = gb_fields_decode(&gb_terminal_open_fields, params, &open, err);

    if (r < 0)
        return r;
    GB_LIST_FOREACH(terminal, &guest->terminals, link) {
        if (terminal->number != open.number || !terminal->asked || terminal->stream != NULL)
            continue;
        terminal->stream = stream;
        stream->user = terminal;
        return 0;
    }
    return gb_err_set(err, GB_EINTERNAL, "OPEN: nobody has asked for terminal %u", open.number);
}

void guest_terminal_fill(void *arg, struct gb_mux_stream *stream)
{
    struct gb_terminal *terminal = stream->user;
    size_t size = MIN(gb_mux_room(stream), terminal->input.size);

    (void)arg;
    if (size > 0) {
        gb_mux_send(stream, (struct gb_bytes){gb_buf_data(&terminal->input), size}, false);
        gb_buf_consume(&terminal->input, size);
    }
    if (terminal->input.size == 0)
        gb_mux_want(stream, false);
    if (terminal->input.size == 0 && terminal->hang_up && stream->ours_open)
        (void)gb_mux_shut(stream, NULL); /* the guest's half is open: the stream stays */
    if (size > 0 && !terminal->freed && !terminal->over)
        terminal->events.sent(terminal->arg);
}

int guest_terminal_data(void *arg, struct gb_mux_stream *stream, struct gb_bytes bytes,
                        struct gb_err *err)
{
    struct gb_terminal *terminal = stream->user;

    (void)arg;
    (void)err;
    if (terminal->freed || !terminal->started)
        gb_mux_consume(stream, bytes.size);
    else
        terminal->events.output(terminal->arg, bytes);
    return 0;
}

int guest_terminal_shut(void *arg, struct gb_mux_stream *stream, struct gb_bytes word,
                        struct gb_err *err)
{
    struct gb_terminal *terminal = stream->user;
    struct gb_terminal_end end;
    int r = gb_fields_decode(&gb_terminal_end_fields, word, &end, err);

    (void)arg;
    if (r < 0)
        return r;
    if (end.exit_code < -1 || end.exit_code > 255 || end.signal >= (uint32_t)NSIG)
        return gb_err_set(err, GB_EINTERNAL, "SHUT: exit code or signal out of range");
    /* Its stream is freed when we return. */
    terminal->stream = NULL;
    stream->user = NULL;
    if (stream->ours_open)
        (void)gb_mux_shut(stream, NULL);
    terminal_end(terminal, &end, NULL);
    return 0;
}

void guest_terminal_ended(void *arg, struct gb_mux_stream *stream, const struct gb_err *why)
{
    struct gb_terminal *terminal = stream->user;
    struct gb_err gone = {0};

    (void)arg;
    if (terminal == NULL)
        return;
    terminal->stream = NULL;
    if (why == NULL)
        (void)gb_err_set(&gone, GB_ECLOSED, "its VM is gone");
    terminal_end(terminal, NULL, why != NULL ? why : &gone); /* may free it */
}

bool guest_terminals_run(const struct gb_guest *guest)
{
    const struct gb_terminal *terminal;

    GB_LIST_FOREACH_CONST(terminal, &guest->terminals, link)
        if (!terminal->over)
            return true;
    return false;
}

void guest_terminals_release(struct gb_guest *guest)
{
    struct gb_list *link;

    while ((link = gb_list_pop(&guest->terminals)) != NULL) {
        struct gb_terminal *terminal = container_of(link, struct gb_terminal, link);

        gb_buf_release(&terminal->input);
        free(terminal);
    }
}

/* ---- its user ---- */

void gb_terminal_consume(struct gb_terminal *terminal, size_t bytes)
{
    if (terminal->stream == NULL)
        return;
    gb_mux_consume(terminal->stream, bytes);
    guest_flush(terminal->guest);
}

int gb_terminal_write(struct gb_terminal *terminal, struct gb_bytes bytes, struct gb_err *err)
{
    if (terminal->over || terminal->hang_up || terminal->stream == NULL ||
        !terminal->stream->ours_open)
        return gb_err_set(err, GB_ENOTFOUND, "the program has ended");
    if (!gb_buf_try_add(&terminal->input, bytes.data, bytes.size, GB_TERMINAL_INPUT_MAX))
        return gb_err_set(err, GB_ETOOLARGE, "%zu bytes wait for the program already",
                          terminal->input.size);
    gb_mux_want(terminal->stream, terminal->input.size > 0);
    guest_flush(terminal->guest);
    return 0;
}

size_t gb_terminal_queued(const struct gb_terminal *terminal)
{
    return terminal->input.size;
}

int gb_terminal_resize(struct gb_terminal *terminal, uint32_t rows, uint32_t columns,
                       struct gb_err *err)
{
    const struct gb_terminal_size size = {terminal->number, rows, columns};

    if (terminal->over)
        return gb_err_set(err, GB_ENOTFOUND, "the program has ended");
    return gb_guest_request(terminal->guest, GB_GUEST_RESIZE, 0, &gb_resize_fields, &size, 0, NULL,
                            NULL, err);
}

void gb_terminal_hang_up(struct gb_terminal *terminal)
{
    if (terminal->over || terminal->hang_up || terminal->stream == NULL)
        return;
    terminal->hang_up = true;
    gb_buf_clear(&terminal->input);
    gb_mux_want(terminal->stream, true);
    guest_flush(terminal->guest);
}

void gb_terminal_free(struct gb_terminal *terminal)
{
    struct gb_guest *guest;

    if (terminal == NULL)
        return;
    guest = terminal->guest;
    terminal->freed = true;
    if (terminal->asked)
        return; /* its answer is awaited, so that none of its streams is left */
    if (terminal->stream != NULL && !terminal->stream->given_up)
        gb_mux_reset(terminal->stream, &(struct gb_err){.code = GB_ENOTFOUND});
    terminal_free(terminal);
    guest_flush(guest);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Standard input of an interactive cell: a piece is completed when all of it has been sent, so that
 * a sender of one piece after the other never has more than a window unread; the agent grants
 * credit as the program reads. */
#include "guest/private.h"

void guest_stdin_open(struct gb_guest *guest, uint32_t cell)
{
    struct guest_feed *input = &guest->input;

    input->given = input->sent = 0;
    input->ended = false;
    input->stream = gb_mux_open(&guest->mux, GB_STREAM_STDIN, cell, NULL);
}

/* Nobody reads the rest: it counts as sent. */
static void stdin_drop(struct gb_guest *guest)
{
    guest->input.stream = NULL;
    guest_feed_fail(guest, &guest->input, NULL);
}

void guest_stdin_close(struct gb_guest *guest, const struct gb_err *why)
{
    struct guest_feed *input = &guest->input;
    struct gb_err err = {0};

    if (why == NULL) {
        (void)gb_err_set(&err, GB_ENOTFOUND, "the cell is not running");
    } else {
        err = *why;
        err.code = GB_ECLOSED;
        err.dispatched = true;
    }
    guest_feed_settle_sent(guest, input);
    guest_feed_fail(guest, input, &err);
    if (input->stream != NULL)
        guest_give_up(TAKE_PTR(input->stream));
}

void guest_stdin_fill(void *arg, struct gb_mux_stream *stream)
{
    struct gb_guest *guest = arg;
    struct guest_feed *input = &guest->input;
    bool all = guest_feed_fill(input);

    guest_feed_settle_sent(guest, input);
    if (!all || !input->ended)
        return;
    input->stream = NULL; /* the agent's side has no data */
    (void)gb_mux_shut(stream, NULL);
}

void guest_stdin_ended(void *arg, struct gb_mux_stream *stream, const struct gb_err *why)
{
    struct gb_guest *guest = arg;

    if (guest->input.stream != stream)
        return;
    guest->input.stream = NULL;
    if (why != NULL)
        stdin_drop(guest);
}

int gb_guest_stdin(struct gb_guest *guest, struct gb_bytes data, bool eof, gb_vm_done_fn *done,
                   void *arg, struct gb_err *err)
{
    struct guest_feed *input = &guest->input;
    size_t unread = guest_feed_unsent(input);
    int r;

    if (guest->cell.number == 0)
        return gb_err_set(err, GB_ENOTFOUND, "no cell is running");
    if (input->ended)
        return gb_err_set(err, GB_EINVALID, "the standard input of cell %u has ended",
                          guest->cell.number);
    if (input->stream != NULL)
        unread += (size_t)(input->stream->sent_cost - input->stream->granted_cost);
    if (data.size > 0 && unread + data.size > GB_STDIN_PENDING_MAX)
        return gb_err_set(err, GB_ETOOLARGE, "cell %u has %zu bytes of input unread",
                          guest->cell.number, unread);
    r = guest_feed_give(input, data, false, done, arg, err);
    if (r < 0)
        return r;
    input->ended = eof;
    if (input->stream == NULL)
        stdin_drop(guest);
    else
        gb_mux_want(input->stream, true);
    guest_flush(guest);
    return 0;
}

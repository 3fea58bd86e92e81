/* SPDX-License-Identifier: Apache-2.0 */
/* Standard input of an interactive cell: pieces of a user, which leave as the window of the stream
 * allows. A piece is answered when all of it has left, so that who sends one behind the other never
 * has more than a window unread; the agent opens the window as the program reads.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "guest/private.h"

struct guest_piece {
    struct gb_list link;
    gb_vm_done_fn *done; /* NULL: nobody listens any more */
    void *arg;
    uint64_t end; /* in the bytes of the stream */
    struct gb_err err;
};

static void stdin_tell(void *arg)
{
    struct gb_guest *guest = arg;
    struct gb_list told, *link;
    struct guest_piece *piece;

    /* Those that are settled now: what a callback gives comes behind them. */
    gb_list_init(&told);
    GB_LIST_FOREACH(piece, &guest->input.pieces, link)
        if (piece->end <= guest->input.sent || piece->err.code != GB_OK) {
            gb_list_remove(&piece->link);
            gb_list_add_tail(&told, &piece->link);
        }
    while ((link = gb_list_pop(&told)) != NULL) {
        piece = container_of(link, struct guest_piece, link);
        if (piece->done != NULL)
            piece->done(piece->arg, piece->err.code != GB_OK ? &piece->err : NULL);
        free(piece);
    }
}

static void stdin_tell_later(struct gb_guest *guest)
{
    if (!gb_list_empty(&guest->input.pieces))
        gb_loop_defer(guest->loop, &guest->input.tell, stdin_tell, guest);
}

void guest_stdin_init(struct gb_guest *guest)
{
    gb_list_init(&guest->input.pieces);
}

void guest_stdin_open(struct gb_guest *guest, uint32_t cell)
{
    struct guest_stdin *input = &guest->input;

    input->taken = input->sent = 0;
    input->ended = false;
    input->stream = gb_mux_open(&guest->mux, GB_STREAM_STDIN, cell, NULL);
}

/* Nobody takes the rest: it counts as sent. */
static void stdin_drop(struct gb_guest *guest)
{
    guest->input.stream = NULL;
    gb_buf_release(&guest->input.data);
    guest->input.sent = guest->input.taken;
    stdin_tell_later(guest);
}

void guest_stdin_close(struct gb_guest *guest, const struct gb_err *why)
{
    struct guest_stdin *input = &guest->input;
    struct guest_piece *piece;

    GB_LIST_FOREACH(piece, &input->pieces, link) {
        if (piece->end <= input->sent || piece->err.code != GB_OK)
            continue;
        if (why == NULL) {
            (void)gb_err_set(&piece->err, GB_ENOTFOUND, "the cell is not running");
            continue;
        }
        piece->err = *why;
        piece->err.code = GB_ECLOSED;
        piece->err.dispatched = true;
    }
    if (input->stream != NULL)
        gb_mux_reset(input->stream, &(struct gb_err){.code = GB_ENOTFOUND});
    stdin_drop(guest);
}

void guest_stdin_fail(struct gb_guest *guest, const struct gb_err *why)
{
    guest_stdin_close(guest, why);
    stdin_tell(guest);
}

void guest_stdin_forget(struct gb_guest *guest, const void *arg)
{
    struct guest_piece *piece;

    GB_LIST_FOREACH(piece, &guest->input.pieces, link)
        if (piece->arg == arg)
            piece->done = NULL;
}

void guest_stdin_release(struct gb_guest *guest)
{
    struct gb_list *link;

    gb_loop_undefer(&guest->input.tell);
    while ((link = gb_list_pop(&guest->input.pieces)) != NULL)
        free(container_of(link, struct guest_piece, link));
    gb_buf_release(&guest->input.data);
}

void guest_stdin_fill(void *arg, struct gb_mux_stream *stream)
{
    struct gb_guest *guest = arg;
    struct guest_stdin *input = &guest->input;
    size_t size = MIN(gb_mux_room(stream), input->data.size);

    if (size > 0) {
        gb_mux_send(stream, (struct gb_bytes){gb_buf_data(&input->data), size},
                    size == input->data.size);
        gb_buf_consume(&input->data, size);
        input->sent += size;
        stdin_tell_later(guest);
    }
    if (input->data.size > 0)
        return;
    gb_mux_want(stream, false);
    if (!input->ended)
        return;
    input->stream = NULL; /* the agent's side has no half */
    (void)gb_mux_shut(stream, NULL);
}

void guest_stdin_ended(void *arg, struct gb_mux_stream *stream, const struct gb_err *why)
{
    struct gb_guest *guest = arg;

    (void)why;
    if (guest->input.stream == stream)
        stdin_drop(guest);
}

int gb_guest_stdin(struct gb_guest *guest, struct gb_bytes data, bool eof, gb_vm_done_fn *done,
                   void *arg, struct gb_err *err)
{
    struct guest_stdin *input = &guest->input;
    struct guest_piece *piece;
    size_t unread = input->data.size;

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
    if (input->stream != NULL &&
        !gb_buf_try_add(&input->data, data.data, data.size, GB_STDIN_PENDING_MAX))
        return gb_err_set(err, GB_ECAPACITY, "the server has no memory for standard input");
    input->ended = eof;
    input->taken += data.size;
    piece = xcalloc(1, sizeof(*piece));
    piece->done = done;
    piece->arg = arg;
    piece->end = input->taken;
    gb_list_add_tail(&input->pieces, &piece->link);
    if (input->stream == NULL)
        stdin_drop(guest);
    else
        gb_mux_want(input->stream, true);
    guest_flush(guest);
    stdin_tell_later(guest);
    return 0;
}

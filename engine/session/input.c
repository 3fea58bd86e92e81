/* SPDX-License-Identifier: Apache-2.0 */
/* Standard input for an interactive cell that cannot be sent yet: a checkpoint is being taken, the
 * session is asleep or not open yet, a file comes first. It waits with the cell, and is given to
 * the guest right behind it; its senders are answered then, as those of a running cell are. */
#include <stdlib.h>

#include "base/mem.h"
#include "session/internal.h"

/* Of one cell. Its bytes are limited as those of a running one are. */
enum { INPUT_PIECES_MAX = 256 };

struct input_piece {
    struct gb_list link;
    struct gb_buf data;
    bool eof;
    gb_vm_done_fn *done; /* NULL: nobody waits any more */
    void *arg;
};

int session_input_keep(struct cell *cell, struct gb_bytes data, bool eof, gb_vm_done_fn *done,
                       void *arg, struct gb_err *err)
{
    struct gb_buf copy = {0};
    struct input_piece *piece;

    if (cell->input_ended)
        return gb_err_set(err, GB_EINVALID, "the standard input of cell %u has ended",
                          cell->shown.number);
    if (cell->input_bytes + data.size > GB_STDIN_PENDING_MAX)
        return gb_err_set(err, GB_ETOOLARGE, "cell %u has %zu bytes of input unread",
                          cell->shown.number, cell->input_bytes);
    if (gb_list_count(&cell->input) >= INPUT_PIECES_MAX)
        return gb_err_set(err, GB_EBUSY, "%d pieces of input wait for cell %u already",
                          (int)INPUT_PIECES_MAX, cell->shown.number);
    if (!gb_buf_try_add(&copy, data.data, data.size, GB_STDIN_PENDING_MAX))
        return gb_err_set(err, GB_ECAPACITY, "the server has no memory for %zu bytes", data.size);
    piece = xcalloc(1, sizeof(*piece));
    piece->data = copy;
    piece->eof = eof;
    piece->done = done;
    piece->arg = arg;
    gb_list_add_tail(&cell->input, &piece->link);
    cell->input_bytes += data.size;
    cell->input_ended = eof;
    return 0;
}

static void input_free(struct input_piece *piece)
{
    gb_buf_release(&piece->data);
    free(piece);
}

void session_input_give(struct gb_session *session, struct cell *cell)
{
    struct gb_list *link;
    struct gb_err err = {0};
    int r = 0;

    while (r == 0 && (link = gb_list_pop(&cell->input)) != NULL) {
        struct input_piece *piece = container_of(link, struct input_piece, link);

        r = gb_guest_stdin(session->guest, gb_buf_bytes(&piece->data), piece->eof, piece->done,
                           piece->arg, &err);
        if (r == 0)
            input_free(piece);
        else
            gb_list_add_tail(&cell->input, link); /* no memory: it fails with the cell's end */
    }
}

void session_input_fail(struct cell *cell, const struct gb_err *why)
{
    struct gb_list *link;
    struct gb_err err = {0};

    if (why == NULL)
        (void)gb_err_set(&err, GB_ENOTFOUND, "cell %u is not running", cell->shown.number);
    else
        err = *why;
    err.dispatched = false;
    while ((link = gb_list_pop(&cell->input)) != NULL) {
        struct input_piece *piece = container_of(link, struct input_piece, link);

        if (piece->done != NULL)
            piece->done(piece->arg, &err);
        input_free(piece);
    }
}

static void input_forget(struct cell *cell, const void *arg)
{
    struct input_piece *piece;

    GB_LIST_FOREACH(piece, &cell->input, link)
        if (piece->arg == arg)
            piece->done = NULL;
}

void session_input_forget(struct gb_session *session, const void *arg)
{
    struct cell *cell;

    GB_LIST_FOREACH(cell, &session->queue, link)
        input_forget(cell, arg);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes that a user supplies in pieces, for the host's half of a stream: they are sent as its
 * window allows, and each piece is completed once, from the loop, when the owner of the feed has
 * settled it. */
#include <stdlib.h>

#include "base/mem.h"
#include "guest/private.h"

struct guest_piece {
    struct gb_list link; /* in feed->pieces, then in guest->told */
    struct gb_buf data;  /* not sent yet */
    gb_vm_done_fn *done; /* NULL: nobody waits any more */
    void *arg;
    uint64_t end;  /* offset in the feed's bytes */
    uint64_t cost; /* what the stream had sent with its last byte; 0: not sent yet */
    bool counts;   /* as a request */
    struct gb_err err;
};

void guest_feed_init(struct guest_feed *feed)
{
    *feed = (struct guest_feed){0};
    gb_list_init(&feed->pieces);
}

/* Reports the pieces settled so far: those added by a callback come later. */
void guest_feed_tell(void *arg)
{
    struct gb_guest *guest = arg;

    for (size_t left = gb_list_count(&guest->told); left > 0; left--) {
        struct gb_list *link = gb_list_pop(&guest->told);
        struct guest_piece *piece;

        if (link == NULL)
            return; /* a callback has dropped the others */
        piece = container_of(link, struct guest_piece, link);
        guest_transfer_ended(guest, piece->counts);
        if (piece->done != NULL)
            piece->done(piece->arg, piece->err.code != GB_OK ? &piece->err : NULL);
        free(piece);
    }
}

static void feed_settle(struct gb_guest *guest, struct guest_piece *piece)
{
    gb_buf_release(&piece->data);
    gb_list_remove(&piece->link);
    gb_list_add_tail(&guest->told, &piece->link);
    gb_loop_defer(guest->loop, &guest->tell, guest_feed_tell, guest);
}

static struct guest_piece *feed_first(const struct guest_feed *feed)
{
    return gb_list_empty(&feed->pieces) ? NULL
                                        : container_of(feed->pieces.next, struct guest_piece, link);
}

int guest_feed_give(struct guest_feed *feed, struct gb_bytes bytes, bool counts,
                    gb_vm_done_fn *done, void *arg, struct gb_err *err)
{
    struct gb_buf data = {0};
    struct guest_piece *piece;

    if (!gb_buf_try_add(&data, bytes.data, bytes.size, SIZE_MAX))
        return gb_err_set(err, GB_ECAPACITY, "the server has no memory for %zu bytes", bytes.size);
    feed->given += bytes.size;
    piece = xcalloc(1, sizeof(*piece));
    piece->data = data;
    piece->done = done;
    piece->arg = arg;
    piece->counts = counts;
    piece->end = feed->given;
    gb_list_add_tail(&feed->pieces, &piece->link);
    return 0;
}

/* Unsent bytes. */
size_t guest_feed_unsent(const struct guest_feed *feed)
{
    return (size_t)(feed->given - feed->sent);
}

bool guest_feed_fill(struct guest_feed *feed)
{
    struct gb_mux_stream *stream = feed->stream;
    bool sent = false;
    struct guest_piece *piece;

    GB_LIST_FOREACH(piece, &feed->pieces, link) {
        size_t size = MIN(gb_mux_room(stream), piece->data.size);

        if (size > 0 && !sent) {
            gb_mux_send(stream, (struct gb_bytes){gb_buf_data(&piece->data), size},
                        size == guest_feed_unsent(feed));
            gb_buf_consume(&piece->data, size);
            feed->sent += size;
            sent = true;
        }
        if (piece->end > feed->sent)
            break;
        if (piece->cost == 0)
            piece->cost = stream->sent_cost;
    }
    if (guest_feed_unsent(feed) > 0)
        return false;
    gb_mux_want(stream, false);
    return true;
}

void guest_feed_settle_sent(struct gb_guest *guest, struct guest_feed *feed)
{
    struct guest_piece *piece;

    while ((piece = feed_first(feed)) != NULL && piece->end <= feed->sent)
        feed_settle(guest, piece);
}

void guest_feed_settle_taken(struct gb_guest *guest, struct guest_feed *feed)
{
    struct guest_piece *piece;

    while ((piece = feed_first(feed)) != NULL && piece->cost > 0 &&
           gb_mux_was_granted(feed->stream, piece->cost) &&
           !(feed->ended && piece->link.next == &feed->pieces))
        feed_settle(guest, piece);
}

void guest_feed_settle_empty(struct gb_guest *guest, struct guest_feed *feed)
{
    struct guest_piece *piece;

    while ((piece = feed_first(feed)) != NULL && piece->end == 0 &&
           !(feed->ended && piece->link.next == &feed->pieces))
        feed_settle(guest, piece);
}

void guest_feed_fail(struct gb_guest *guest, struct guest_feed *feed, const struct gb_err *why)
{
    struct guest_piece *piece;

    feed->sent = feed->given;
    while ((piece = feed_first(feed)) != NULL) {
        if (why != NULL)
            piece->err = *why;
        feed_settle(guest, piece);
    }
}

static void feed_forget(struct gb_list *pieces, const void *arg)
{
    struct guest_piece *piece;

    GB_LIST_FOREACH(piece, pieces, link)
        if (piece->arg == arg)
            piece->done = NULL;
}

void guest_feed_forget(struct gb_guest *guest, struct guest_feed *feed, const void *arg)
{
    feed_forget(&feed->pieces, arg);
    feed_forget(&guest->told, arg);
}

void guest_feed_drop(struct gb_guest *guest)
{
    struct gb_list *link;

    gb_loop_undefer(&guest->tell);
    while ((link = gb_list_pop(&guest->told)) != NULL) {
        struct guest_piece *piece = container_of(link, struct guest_piece, link);

        guest_transfer_ended(guest, piece->counts);
        free(piece);
    }
}

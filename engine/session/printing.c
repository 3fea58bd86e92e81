/* SPDX-License-Identifier: Apache-2.0 */
/* What cells print after their end, by the processes that they left behind.
 *
 * Such output is disposed of as it comes: it goes to a client that reads, or into a store of fixed
 * size. So it gets its credit back in batches whoever reads, and a process that prints much is not
 * stopped by a window that nobody opens again. The agent lets a fixed number of cells print; the
 * one that printed longest ago makes room here.
 */
#include <string.h>

#include "session/internal.h"

void send_credit(struct gb_session *session, uint32_t cell, uint64_t bytes)
{
    _cleanup_(gb_buf_release) struct gb_buf frames = {0};
    const struct gb_credit message = {bytes};

    gb_guest_add(&frames, (struct gb_frame){.type = GB_GUEST_CREDIT, .cell = cell},
                 &gb_credit_fields, &message);
    session_send(session, &frames);
}

/* The place of @cell, moved to the front. */
static struct printing *place_of(struct gb_session *session, uint32_t cell)
{
    struct printing *all = session->printing, found = {.cell = cell};
    size_t at = 0;

    while (at < PRINTING_MAX - 1 && all[at].cell != cell && all[at].cell != 0)
        at++;
    if (all[at].cell == cell)
        found = all[at];
    memmove(all + 1, all, at * sizeof(all[0]));
    all[0] = found;
    return &all[0];
}

void printing_begin(struct gb_session *session, uint32_t cell, uint64_t uncredited)
{
    if (uncredited > 0)
        place_of(session, cell)->uncredited = uncredited;
}

void printing_output(struct gb_session *session, const struct gb_frame *frame)
{
    struct printing *printing = place_of(session, frame->cell);

    printing->uncredited += frame->payload.size + GB_OUTPUT_COST;
    if (session->events.background != NULL)
        session->events.background(session->arg, frame->cell, (enum gb_output)frame->flags,
                                   frame->payload);
    if (printing->uncredited < CREDIT_BATCH)
        return;
    send_credit(session, frame->cell, printing->uncredited);
    printing->uncredited = 0;
}

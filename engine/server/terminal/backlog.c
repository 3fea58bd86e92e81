/* SPDX-License-Identifier: Apache-2.0 */
#include "backlog.h"

#include "base/mem.h"
#include "server/terminal/screen.h"

void backlog_init(struct backlog *backlog, struct gb_loop *loop)
{
    backlog->loop = loop;
    gb_list_init(&backlog->waiting);
}

void backlog_release(struct backlog *backlog)
{
    gb_loop_undefer(&backlog->next);
}

/* The work that is left in this turn. */
static uint64_t backlog_left(struct backlog *backlog)
{
    if (backlog->turn != gb_loop_turns(backlog->loop))
        backlog->work = 0;
    backlog->turn = gb_loop_turns(backlog->loop);
    return BACKLOG_WORK - MIN(backlog->work, (uint64_t)BACKLOG_WORK);
}

static size_t backlog_feed(struct backlog *backlog, struct screen *screen, struct gb_bytes bytes)
{
    return gb_vt_feed_some(screen->vt, bytes, MIN(backlog_left(backlog), (uint64_t)BACKLOG_SLICE),
                           &backlog->work);
}

/* One slice of each in turn, until the turn's work is done. */
static void backlog_run(void *arg)
{
    struct backlog *backlog = arg;
    struct gb_list *link;

    while (backlog_left(backlog) > 0 && (link = gb_list_pop(&backlog->waiting)) != NULL) {
        struct screen *screen = container_of(link, struct screen, waiting);
        size_t taken = backlog_feed(backlog, screen, gb_buf_bytes(&screen->unfed));

        gb_buf_consume(&screen->unfed, taken);
        if (screen->unfed.size > 0)
            gb_list_add_tail(&backlog->waiting, &screen->waiting);
        screen_fed(screen, taken);
    }
    if (!gb_list_empty(&backlog->waiting))
        gb_loop_defer(backlog->loop, &backlog->next, backlog_run, backlog);
}

void backlog_add(struct backlog *backlog, struct screen *screen, struct gb_bytes bytes)
{
    size_t taken = 0;

    /* A key's echo does not wait, unless others do. */
    if (bytes.size > 0 && gb_list_empty(&backlog->waiting) && backlog_left(backlog) > 0)
        taken = backlog_feed(backlog, screen, bytes);
    if (taken < bytes.size) {
        gb_buf_add(&screen->unfed, bytes.data + taken, bytes.size - taken);
        if (gb_list_empty(&screen->waiting))
            gb_list_add_tail(&backlog->waiting, &screen->waiting);
        gb_loop_defer(backlog->loop, &backlog->next, backlog_run, backlog);
    }
    if (taken > 0)
        screen_fed(screen, taken);
}

void backlog_remove(struct screen *screen)
{
    uint64_t work = 0;

    gb_list_remove(&screen->waiting);
    if (screen->unfed.size > 0)
        (void)gb_vt_feed_some(screen->vt, gb_buf_bytes(&screen->unfed), BACKLOG_SLICE, &work);
    gb_buf_release(&screen->unfed);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "backlog.h"

#include "base/mem.h"

void backlog_init(struct backlog *backlog, struct gb_loop *loop)
{
    backlog->loop = loop;
    gb_list_init(&backlog->waiting);
}

void backlog_release(struct backlog *backlog)
{
    gb_loop_undefer(&backlog->next);
}

void backlog_entry_init(struct backlog_entry *entry, struct gb_vt *vt,
                        void (*fed)(struct backlog_entry *entry, size_t bytes))
{
    gb_list_init(&entry->waiting);
    entry->vt = vt;
    entry->fed = fed;
}

/* The work that is left in this turn. */
static uint64_t backlog_left(struct backlog *backlog)
{
    if (backlog->turn != gb_loop_turns(backlog->loop))
        backlog->work = 0;
    backlog->turn = gb_loop_turns(backlog->loop);
    return BACKLOG_WORK - MIN(backlog->work, (uint64_t)BACKLOG_WORK);
}

static size_t backlog_feed(struct backlog *backlog, struct backlog_entry *entry,
                           struct gb_bytes bytes)
{
    return gb_vt_feed_some(entry->vt, bytes, MIN(backlog_left(backlog), (uint64_t)BACKLOG_SLICE),
                           &backlog->work);
}

/* One slice of each in turn, until the turn's work is done. */
static void backlog_run(void *arg)
{
    struct backlog *backlog = arg;
    struct gb_list *link;

    while (backlog_left(backlog) > 0 && (link = gb_list_pop(&backlog->waiting)) != NULL) {
        struct backlog_entry *entry = container_of(link, struct backlog_entry, waiting);
        size_t taken = backlog_feed(backlog, entry, gb_buf_bytes(&entry->bytes));

        gb_buf_consume(&entry->bytes, taken);
        if (entry->bytes.size > 0)
            gb_list_add_tail(&backlog->waiting, &entry->waiting);
        entry->fed(entry, taken);
    }
    if (!gb_list_empty(&backlog->waiting))
        gb_loop_defer(backlog->loop, &backlog->next, backlog_run, backlog);
}

void backlog_add(struct backlog *backlog, struct backlog_entry *entry, struct gb_bytes bytes)
{
    size_t taken = 0;

    /* A key's echo does not wait, unless others do. */
    if (bytes.size > 0 && gb_list_empty(&backlog->waiting) && backlog_left(backlog) > 0)
        taken = backlog_feed(backlog, entry, bytes);
    if (taken < bytes.size) {
        gb_buf_add(&entry->bytes, bytes.data + taken, bytes.size - taken);
        if (gb_list_empty(&entry->waiting))
            gb_list_add_tail(&backlog->waiting, &entry->waiting);
        gb_loop_defer(backlog->loop, &backlog->next, backlog_run, backlog);
    }
    if (taken > 0)
        entry->fed(entry, taken);
}

void backlog_remove(struct backlog_entry *entry)
{
    uint64_t work = 0;

    gb_list_remove(&entry->waiting);
    if (entry->bytes.size > 0)
        (void)gb_vt_feed_some(entry->vt, gb_buf_bytes(&entry->bytes), BACKLOG_SLICE, &work);
    gb_buf_release(&entry->bytes);
}

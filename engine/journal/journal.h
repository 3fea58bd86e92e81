/* SPDX-License-Identifier: Apache-2.0 */
/* The journal: what every session did, on disk.
 *
 * One folder with numbered files that are only added to (*segments*), each a row of records
 * (record.h). A record is written whole by one call at the end of the newest segment; a server that
 * is killed at any byte leaves at most a torn record at the end, which the next start cuts off. In
 * memory there is an index: sessions, and for each cell where its records stand. The oldest segment
 * goes when all together pass the limit, and what stood only in it is forgotten; nothing goes for
 * any other reason.
 *
 * What cannot be written (a full disk, a folder that is read-only or not there) is not recorded,
 * and that is told: to whoever waits for the cell, once in the log, in the figures. Each further
 * record tries again.
 *
 * What is damaged costs the records that it touches. Of a cell that has one record left the reader
 * is told what is there, and that the rest is lost.
 *
 * What a killed server acknowledged needs only write(); what a power cut must not take needs
 * a sync of the file: `sync` chooses.
 *
 * All functions: loop thread only, unless they say otherwise.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/list.h"
#include "journal/record.h"
#include "loop/loop.h"

struct gb_journal;

enum gb_journal_sync {
    GB_JOURNAL_SYNC_NONE,     /* the system writes it when it likes */
    GB_JOURNAL_SYNC_INTERVAL, /* a power cut takes `interval_ms` at most */
    GB_JOURNAL_SYNC_CELL,     /* each cell is synced before it is acknowledged */
};

struct gb_journal_config {
    const char *folder; /* made with mode 0700 */
    uint64_t size;      /* bytes of all segments, about */
    uint64_t interval_ms;
    enum gb_journal_sync sync;
    bool sweep; /* removes those of other sockets beside it, as these say (0: no limit) */
    uint64_t others_age_ms, others_size;
};

/* Locks the folder, reads the index, cuts off what is torn, and marks sessions that a dead server
 * left open as lost. A folder that cannot be written to is no failure. GB_EBUSY: another server
 * writes there. Gives. */
int gb_journal_open(struct gb_loop *loop, const struct gb_journal_config *config,
                    struct gb_journal **ret_journal, struct gb_err *err);
/* Writes what is queued; waiting tickets are done from within. Reads must have ended. Accepts
 * NULL. */
void gb_journal_close(struct gb_journal *journal);

/* ---- sessions ---- */

/* What is known of a session, as of its newest record. */
struct gb_journal_session {
    struct gb_list link; /* in the order of their first record */
    char id[GB_RECORD_ID_MAX];
    enum gb_record_state state;
    uint32_t flags, memory_mb, incarnation, cells;
    uint64_t created_at_ns, last_at_ns;       /* last: of its newest record */
    const char *key, *label, *owner, *client; /* NULL: none */
    const char *image, *language;
    const char *reason, *message; /* of the end; empty before */
    const char *undone;           /* cells, as of model/undone.h */
    bool damaged;          /* a record of it cannot be read: what stands here may be missing */
    bool unwritten;        /* what stands here is not all on disk yet */
    uint32_t segment;      /* of its newest SESSION record */
    uint32_t last_segment; /* where its newest record stands, of whatever kind */
    uint64_t last_offset;
    struct gb_journal_entry *entries;
    uint32_t entry_count, entry_capacity;
};

/* Records a session's beginning, or its end with another state. */
void gb_journal_session(struct gb_journal *journal, const char *id, uint32_t incarnation,
                        const struct gb_record_session *session);
/* NULL when there is none. */
const struct gb_journal_session *gb_journal_find(const struct gb_journal *journal,
                                                 struct gb_bytes id);
/* The sessions, oldest first: struct gb_journal_session by its link. */
struct gb_list *gb_journal_sessions(struct gb_journal *journal);

/* ---- cells ---- */

/* A cell that is being written. Embed it. */
struct gb_journal_ticket {
    void (*done)(void *arg, bool recorded);
    void *arg;
    struct job *job; /* NULL: nothing is awaited */
};

/* A cell was sent to its guest. Copies. */
void gb_journal_start(struct gb_journal *journal, const struct gb_cell_info *cell);
/* A cell has ended. Copies. Returns 1 when it has been recorded, 0 when @ticket->done will tell,
 * once and from the loop; or a failure: it is not recorded. */
int gb_journal_cell(struct gb_journal *journal, const struct gb_cell_info *cell,
                    struct gb_journal_ticket *ticket);

/* ---- reading ---- */

/* What @each says of the cell that it was given. */
enum gb_journal_verdict {
    GB_JOURNAL_NEXT,   /* on to the next */
    GB_JOURNAL_ENOUGH, /* this was the last one */
    GB_JOURNAL_BEFORE, /* the one before was the last: this one is not to count as looked at */
};

struct gb_journal_query {
    uint32_t after; /* cells with larger numbers */
    uint32_t
        before; /* and smaller ones than this, the newest first; 0: no limit, the oldest first */
    uint32_t limit; /* at most so many are looked at */
    uint64_t bytes; /* and so many bytes of records, about; 0: no limit */
    /* For each cell in that order, in a thread of the pool: borrows for the call. */
    enum gb_journal_verdict (*each)(void *arg, const struct gb_cell_info *cell);
    /* On the loop, once, last. @last: the number of the last cell that was looked at, or where the
     * query began; @more: there are further ones behind it. */
    void (*done)(void *arg, uint32_t last, bool more, const struct gb_err *err);
    void *arg;
};

/* Reads cells of a session. What a rotation removes meanwhile is left out. */
int gb_journal_read(struct gb_journal *journal, struct gb_bytes id,
                    const struct gb_journal_query *query, struct gb_err *err);

/* For `stats`. */
struct gb_journal_figures {
    uint64_t bytes, records;
    uint64_t failures; /* records that could not be written, since the start */
    uint64_t lost;     /* records that were missing or damaged at the start */
    uint32_t segments, sessions;
    int sys_errno; /* why nothing is recorded now; 0: it is */
};
struct gb_journal_figures gb_journal_figures(const struct gb_journal *journal);

/* SPDX-License-Identifier: Apache-2.0 */
/* The journal: a record of every session's activity on disk.
 *
 * One folder with numbered append-only files (*segments*) of records (record.h). A record is
 * written in a single call at the end of the newest segment; a server killed at any byte leaves at
 * most one torn record at the end, which the next start cuts off. An index in memory holds the
 * sessions and, for each cell, the position of its records. The oldest segment is removed when all
 * together exceed the limit, and what was only in it is forgotten; nothing is removed for any other
 * reason.
 *
 * What cannot be written (disk full, folder read-only or missing) is not recorded, and this is
 * reported: to whoever waits for the cell, once in the log, and in the statistics. Each further
 * record tries again.
 *
 * Damage costs only the records that it touches. If a cell has one of its records left, readers get
 * what is there and are told that the rest is lost.
 *
 * To survive a killed server, write() is enough; to survive a power cut, the file has to be synced:
 * `sync` chooses when.
 *
 * All functions: loop thread only, unless stated otherwise.
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
    GB_JOURNAL_SYNC_NONE,     /* the system decides when to write it back */
    GB_JOURNAL_SYNC_INTERVAL, /* a power cut loses at most `interval_ms` */
    GB_JOURNAL_SYNC_CELL,     /* each cell is synced before it is acknowledged */
};

struct gb_journal_config {
    const char *folder; /* created with mode 0700 */
    uint64_t size;      /* bytes of all segments, approximately */
    uint64_t interval_ms;
    enum gb_journal_sync sync;
    bool sweep; /* removes journals of other sockets next to it, by these limits (0: no limit) */
    uint64_t others_age_ms, others_size;
};

/* Locks the folder, reads the index, cuts off a torn record, and marks sessions that a dead server
 * left open as lost. A folder that is not writable is not a failure. GB_EBUSY: another server
 * writes to it. Gives. */
int gb_journal_open(struct gb_loop *loop, const struct gb_journal_config *config,
                    struct gb_journal **ret_journal, struct gb_err *err);
/* Writes what is queued, completing waiting tickets from within. Reads must have ended. No-op on
 * NULL. */
void gb_journal_close(struct gb_journal *journal);

/* ---- sessions ---- */

/* What is known about a session, from its newest record. */
struct gb_journal_session {
    struct gb_list link; /* in order of their first records */
    char id[GB_RECORD_ID_MAX];
    enum gb_record_state state;
    uint32_t flags, memory_mb, incarnation, cells;
    uint64_t created_at_ns, last_at_ns;       /* last: of its newest record */
    const char *key, *label, *owner, *client; /* NULL: none */
    const char *image, *language;
    const char *reason, *message; /* of the end; empty while it is open */
    const char *undone;           /* cells, encoded as in model/undone.h */
    const char *origin;           /* the session that it was forked from; NULL: it was not */
    uint64_t origin_checkpoint;
    uint32_t origin_cell;
    const char *packages;      /* a line for each, with its digest; empty: none */
    bool packages_due;         /* its next record has to have them */
    bool damaged;              /* one of its records is damaged: information may be missing */
    bool unwritten;            /* some of this is not on disk yet */
    uint32_t segment;          /* of its newest SESSION record */
    uint32_t packages_segment; /* of the newest with packages; 0: there is none */
    uint32_t last_segment;     /* where its newest record of any kind is */
    uint64_t last_offset;
    struct gb_journal_entry *entries;
    uint32_t entry_count, entry_capacity;
    struct gb_journal_note *notes; /* of its network */
    uint32_t note_count, note_capacity;
    struct gb_journal_mark *marks; /* of its cells, by their numbers */
    uint32_t mark_count;
};

/* Records a session's start, or its end with a different state. */
void gb_journal_session(struct gb_journal *journal, const char *id, uint32_t incarnation,
                        const struct gb_record_session *session);
/* NULL if there is none. */
const struct gb_journal_session *gb_journal_find(const struct gb_journal *journal,
                                                 struct gb_bytes id);
/* The sessions, oldest first: struct gb_journal_session by its link. */
struct gb_list *gb_journal_sessions(struct gb_journal *journal);

/* ---- cells ---- */

/* A cell being recorded. Embed it. */
struct gb_journal_ticket {
    void (*done)(void *arg, bool recorded);
    void *arg;
    struct job *job; /* NULL: nothing pending */
};

/* Records that a cell was sent to its guest. Copies. */
void gb_journal_start(struct gb_journal *journal, const struct gb_cell_info *cell);
/* Records that a cell has ended. Copies. Returns 1 if it has been recorded, 0 if @ticket->done will
 * be called, once and from the loop; or a failure: it is not recorded. */
int gb_journal_cell(struct gb_journal *journal, const struct gb_cell_info *cell,
                    struct gb_journal_ticket *ticket);

/* ---- annotations ---- */

/* Records what a person changed about a cell, of an open session or of an ended one. Copies.
 * Returns 1 if it has been recorded, 0 if @ticket->done will be called, or a failure: GB_ENOTFOUND
 * (there is no such cell in the journal), GB_ECAPACITY (too many cells of the session are
 * annotated), GB_EINTERNAL (it cannot be written). It is told by readers once it is on disk, and
 * forgotten with its cell or with the segment that has it, whichever is removed first. */
int gb_journal_annotate(struct gb_journal *journal, struct gb_bytes id, uint32_t cell,
                        const struct gb_record_annotation *annotation,
                        struct gb_journal_ticket *ticket, struct gb_err *err);

/* ---- network ---- */

/* Records a connection that has ended, or a decision. Copies. `number` and `at_ns` are set here;
 * texts over their limits are cut. */
void gb_journal_network(struct gb_journal *journal, const char *id, uint32_t incarnation,
                        const struct gb_network_record *record);

/* ---- reading ---- */

/* Result of @each for the cell that it was given. */
enum gb_journal_verdict {
    GB_JOURNAL_NEXT,   /* continue */
    GB_JOURNAL_ENOUGH, /* stop after this one */
    GB_JOURNAL_BEFORE, /* stop before this one: it does not count as examined */
};

struct gb_journal_query {
    uint32_t after;  /* cells with larger numbers */
    uint32_t before; /* and smaller ones than this, newest first; 0: no limit, oldest first */
    uint32_t limit;  /* the most cells to examine */
    uint64_t bytes;  /* and the most bytes of records, approximately; 0: no limit */
    bool annotated;  /* only cells with a bookmark or a note */
    /* Called for each cell in that order, in a thread of the pool: borrows for the call. */
    enum gb_journal_verdict (*each)(void *arg, const struct gb_cell_info *cell);
    /* Called once and last, on the loop. @last: the number of the last cell examined, or where the
     * query started; @more: there are more after it. */
    void (*done)(void *arg, uint32_t last, bool more, const struct gb_err *err);
    void *arg;
};

/* Reads a session's cells. Skips those that are removed by rotation meanwhile. */
int gb_journal_read(struct gb_journal *journal, struct gb_bytes id,
                    const struct gb_journal_query *query, struct gb_err *err);

struct gb_journal_network_query {
    uint64_t after; /* records with larger numbers */
    uint32_t limit;
    /* Called for each record in order, in a thread of the pool: borrows for the call. False: stop
     * before this one. */
    bool (*each)(void *arg, const struct gb_network_record *record);
    /* Called once and last, on the loop. @last: the number of the last one examined. */
    void (*done)(void *arg, uint64_t last, bool more, const struct gb_err *err);
    void *arg;
};

/* Reads the records of a session's network, except for damaged ones and those removed by rotation
 * meanwhile; those that are still being written are waited for. */
int gb_journal_read_network(struct gb_journal *journal, struct gb_bytes id,
                            const struct gb_journal_network_query *query, struct gb_err *err);

/* For `stats`. */
struct gb_journal_figures {
    uint64_t bytes, records;
    uint64_t failures; /* records not written because of errors, since start-up */
    uint64_t lost;     /* records missing or damaged at start-up */
    uint32_t segments, sessions;
    int sys_errno; /* why nothing is being recorded; 0: it is */
};
struct gb_journal_figures gb_journal_figures(const struct gb_journal *journal);

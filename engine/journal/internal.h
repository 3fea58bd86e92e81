/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of this module. Private. */
#pragma once

#include "journal/journal.h"
#include "journal/writer.h"

/* Where a cell's records are; segment 0: none. */
struct gb_journal_entry {
    uint32_t number, start_segment, done_segment;
    bool done_lost; /* it ended, but its record could not be written or is among the lost ones */
    uint64_t start_at, done_at;
};

/* Where a record of a session's network is. */
struct gb_journal_note {
    uint32_t segment;
    uint64_t at, number; /* of the record; they increase */
};

/* A position in the journal; segment 0: none. */
struct place {
    uint32_t segment;
    uint64_t at;
};

/* Where the bookmark and the note of a cell are; at least one of them is somewhere. */
struct gb_journal_mark {
    uint32_t cell;
    struct place bookmark, note;
};

struct segment {
    struct gb_list link; /* in journal->segments, by number */
    uint32_t number;
    uint64_t key; /* in the heads of its records; 0: written by a version without keys, or by a
                   * newer one */
    bool closed;  /* no longer written to */
    bool begun;   /* contains a record on disk */
    bool counted; /* old segments have been removed to make room for it */
    uint64_t size;
};

struct gb_journal {
    struct gb_loop *loop;
    char *folder;
    int lock_fd, folder_fd; /* lock −1: not writable; each record tries again to get it */
    uint64_t limit, segment_limit, total, records, failures;
    uint64_t last_number;   /* number of the last record */
    uint64_t lost;          /* missing records found at start-up */
    struct place gap;       /* the last position at start-up after which records are missing */
    uint64_t slow_until_ns; /* the disk is slow: until then only the thread writes */
    enum gb_journal_sync sync;
    struct gb_list segments;
    struct segment_file
        *file; /* the newest segment's; NULL: the next record opens or creates one */
    struct writer *writer;
    struct gb_list sessions;
    uint32_t session_count;
    uint32_t sessions_here; /* whose SESSION records the newest segment holds, since start-up */
    uint32_t unwritten;     /* sessions whose last record has to be written again */
    bool closing;           /* nothing is added to it now */
    void *by_id;            /* tsearch() tree of sessions */
    void *texts;            /* of strings that sessions share: text.c */
    struct outage {
        bool on;       /* already reported */
        int sys_errno; /* the last failure */
        uint64_t largest, records, last_ns;
    } outage;
};

/* ---- folder.c ---- */
/* Opens the folder, creating it if needed, and locks it: 0 if it is writable. -GB_EBUSY: another
 * server writes to it. Any other failure: it is open read-only, or not at all. */
int folder_open(struct gb_journal *journal, struct gb_err *err);
void folder_close(struct gb_journal *journal);
/* Has the writer remove journals of other sockets next to it (sweep.h). */
void folder_sweep(struct gb_journal *journal, const struct gb_journal_config *config);

/* ---- index.c ---- */
/* A copy of @bytes up to a NUL, shared by all users of the same text. Gives a reference. */
const char *text_hold(struct gb_journal *journal, struct gb_bytes bytes);
/* No-op on NULL. */
void text_release(struct gb_journal *journal, const char *bytes);

struct gb_journal_session *index_find(const struct gb_journal *journal, const char *id);
void index_session(struct gb_journal *journal, const struct gb_record_head *head,
                   const struct gb_record_session *record, struct place place);
void index_cell(struct gb_journal *journal, const struct gb_record_head *head, struct place place);
void index_network(struct gb_journal *journal, const struct gb_record_head *head,
                   struct place place);
/* Removes a record of the network that turned out not to be written. */
void index_drop_network(struct gb_journal *journal, const char *id, uint64_t number);
/* Takes an ANNOTATION that is on disk: only its cell has it. False: it is damaged. */
bool index_annotation(struct gb_journal *journal, const struct gb_record_head *head,
                      struct gb_bytes payload, struct place place);
/* NULL: the cell has neither bookmark nor note. */
const struct gb_journal_mark *index_mark(const struct gb_journal_session *session, uint32_t cell);
/* Whether there is a record of that cell. */
bool index_has_cell(const struct gb_journal_session *session, uint32_t cell);
/* @id has a SESSION record that is damaged. */
void index_damaged_session(struct gb_journal *journal, const struct gb_record_head *head);
/* Decides about cells whose end was not recorded: if the START is before the last gap, the end may
 * have been lost in it. */
void index_settle(struct gb_journal *journal);
/* Whether the record of this session's end may be among the lost ones. */
bool index_ends_in_gap(const struct gb_journal *journal, const struct gb_journal_session *session);
/* A cell's end could not be recorded. */
void index_lose_end(struct gb_journal *journal, const char *id, uint32_t cell);
/* Removes a record that turned out not to be written. */
void index_drop_cell(struct gb_journal *journal, const char *id, uint32_t cell, uint32_t segment,
                     bool done);
/* Whether it is written again as soon as that is possible. */
void index_set_unwritten(struct gb_journal *journal, struct gb_journal_session *session, bool on);
/* NULL: there is none. */
struct gb_journal_session *index_first_unwritten(const struct gb_journal *journal);
/* The segment has been removed. Open sessions whose packages were in it are written again, for as
 * long as the packages of all take a quarter of the journal at most; of others the next record with
 * packages is the last one. */
void index_forget(struct gb_journal *journal, uint32_t segment);
void index_release(struct gb_journal *journal);

/* ---- scan.c ---- */
/* Builds the index from the files in the folder. Logs what cannot be read. */
void journal_scan(struct gb_journal *journal);
/* Adds the folder's unknown segments, as closed ones. 0 or -errno. */
int journal_list(struct gb_journal *journal);

/* ---- segment.c ---- */
/* "0000000001-0123456789abcdef.gbj"; without a key, as in older versions, "0000000001.gbj". */
void segment_name(char name[48], uint32_t number, uint64_t key);
/* False if @name is not that of a segment. */
bool segment_parse_name(const char *name, uint32_t *ret_number, uint64_t *ret_key);
/* Inserts a segment in order. Borrows from the journal. */
struct segment *segment_add(struct gb_journal *journal, uint32_t number, uint64_t key);
struct segment *segment_find(const struct gb_journal *journal, uint32_t number);
/* NULL: there is none. */
struct segment *segment_newest(const struct gb_journal *journal);

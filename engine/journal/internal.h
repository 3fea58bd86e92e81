/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this module share. Not for others. */
#pragma once

#include "journal/journal.h"
#include "journal/writer.h"

/* Where the records of a cell stand; segment 0: there is none. */
struct gb_journal_entry {
    uint32_t number, start_segment, done_segment;
    bool done_lost; /* it ended; its record could not be written, or is among those that are lost */
    uint64_t start_at, done_at;
};

/* A place in the journal; segment 0: none. */
struct place {
    uint32_t segment;
    uint64_t at;
};

struct segment {
    struct gb_list link; /* in journal->segments, by number */
    uint32_t number;
    uint64_t
        key;     /* in the heads of its records; 0: of a version that had none, or of one to come */
    bool closed; /* nothing more is written to it */
    bool begun;  /* a record of it is on disk */
    bool counted; /* and old segments have made room for it */
    uint64_t size;
};

struct gb_journal {
    struct gb_loop *loop;
    char *folder;
    int lock_fd, folder_fd; /* lock −1: nothing can be written, and each record tries for it */
    uint64_t limit, segment_limit, total, records, failures;
    uint64_t last_number;   /* of a record */
    uint64_t lost;          /* records that should be there and are not, as found at the start */
    struct place gap;       /* the last place behind which records are missing, likewise */
    uint64_t slow_until_ns; /* the disk is slow: until then only the thread writes */
    enum gb_journal_sync sync;
    struct gb_list segments;
    struct segment_file
        *file; /* of the newest segment; NULL: the next record opens or begins one */
    struct writer *writer;
    struct gb_list sessions;
    uint32_t session_count;
    uint32_t sessions_here; /* begun in the newest segment since the start */
    uint32_t unwritten;     /* sessions whose last record could not be written */
    bool closing;           /* nothing is added any more */
    void *by_id;            /* tsearch() tree of sessions */
    void *texts;            /* and of what they share: text.c */
    struct outage {
        bool on;       /* said already */
        int sys_errno; /* the last failure */
        uint64_t largest, records, last_ns;
    } outage;
};

/* ---- folder.c ---- */
/* Opens the folder, makes it where that is needed, and locks it: 0 when it can be written to.
 * -GB_EBUSY: another server writes there. Any other failure: it is open for reading, or not at all.
 */
int folder_open(struct gb_journal *journal, struct gb_err *err);
void folder_close(struct gb_journal *journal);

/* ---- index.c ---- */
/* A copy of @bytes up to a NUL, which whoever asks for the same gets too. Gives a hold. */
const char *text_hold(struct gb_journal *journal, struct gb_bytes bytes);
/* Accepts NULL. */
void text_release(struct gb_journal *journal, const char *bytes);

struct gb_journal_session *index_find(const struct gb_journal *journal, const char *id);
void index_session(struct gb_journal *journal, const struct gb_record_head *head,
                   const struct gb_record_session *record, struct place place);
void index_cell(struct gb_journal *journal, const struct gb_record_head *head, struct place place);
/* @id has a SESSION record that cannot be read. */
void index_damaged_session(struct gb_journal *journal, const struct gb_record_head *head);
/* What is said of a cell whose end was not recorded: the beginnings that stand in front of the last
 * gap may have had an end behind it. */
void index_settle(struct gb_journal *journal);
/* What ended this session may be among the records that are lost. */
bool index_ends_in_gap(const struct gb_journal *journal, const struct gb_journal_session *session);
/* The end of a cell could not be recorded. */
void index_lose_end(struct gb_journal *journal, const char *id, uint32_t cell);
/* A record that could not be written after all. */
void index_drop_cell(struct gb_journal *journal, const char *id, uint32_t cell, uint32_t segment,
                     bool done);
/* The segment is gone. */
void index_forget(struct gb_journal *journal, uint32_t segment);
void index_release(struct gb_journal *journal);

/* ---- scan.c ---- */
/* Reads the index from the folder's files. What cannot be read is told in the log. */
void journal_scan(struct gb_journal *journal);
/* Adds the segments of the folder that are not known, as ones that are not written to. 0 or -errno.
 */
int journal_list(struct gb_journal *journal);

/* ---- segment.c ---- */
/* "0000000001-0123456789abcdef.gbj"; without a key, as older versions called it, "0000000001.gbj".
 */
void segment_name(char name[48], uint32_t number, uint64_t key);
/* False when @name is not that of a segment. */
bool segment_parse_name(const char *name, uint32_t *ret_number, uint64_t *ret_key);
/* Adds a segment in its place. Borrows from the journal. */
struct segment *segment_add(struct gb_journal *journal, uint32_t number, uint64_t key);
struct segment *segment_find(const struct gb_journal *journal, uint32_t number);
/* NULL: there is none. */
struct segment *segment_newest(const struct gb_journal *journal);

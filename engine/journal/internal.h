/* What the files of this module share. Not for others. */
#pragma once

#include "journal/journal.h"
#include "journal/writer.h"

/* Where the records of a cell stand; segment 0: there is none. */
struct gb_journal_entry {
    uint32_t number, start_segment, done_segment, reserved;
    uint64_t start_at, done_at;
};

struct segment {
    struct gb_list link; /* in journal->segments, by number */
    uint32_t number;
    bool foreign; /* of a version that is not known here: it stays as it is */
    uint64_t size;
};

struct gb_journal {
    struct gb_loop *loop;
    char *folder;
    int lock_fd, folder_fd;
    uint64_t limit, segment_limit, total, records, failures, damaged;
    uint64_t slow_until_ns; /* the disk is slow: until then only the thread writes */
    enum gb_journal_sync sync;
    struct gb_list segments;
    struct segment_file *file; /* of the newest segment; NULL: the next record begins one */
    struct writer *writer;
    struct gb_list sessions;
    uint32_t session_count;
    uint32_t sessions_here; /* begun in the newest segment since the start */
    void *by_id;            /* tsearch() tree of sessions */
    void *texts;            /* and of what they share: text.c */
    bool failing;           /* said already */
    bool disk_full;         /* the oldest segment makes room for the next */
};

/* ---- index.c ---- */
/* A copy of @bytes up to a NUL, which whoever asks for the same gets too. Gives a hold. */
const char *text_hold(struct gb_journal *journal, struct gb_bytes bytes);
/* Accepts NULL. */
void text_release(struct gb_journal *journal, const char *bytes);

struct gb_journal_session *index_find(const struct gb_journal *journal, const char *id);
void index_session(struct gb_journal *journal, const struct gb_record_head *head,
                   const struct gb_record_session *record, uint32_t segment);
void index_cell(struct gb_journal *journal, const struct gb_record_head *head, uint32_t segment,
                uint64_t at);
/* A record that could not be written after all. */
void index_drop_cell(struct gb_journal *journal, const char *id, uint32_t cell, uint32_t segment,
                     bool done);
/* The segment is gone. */
void index_forget(struct gb_journal *journal, uint32_t segment);
void index_release(struct gb_journal *journal);

/* ---- scan.c ---- */
/* Reads the index from the folder's files. */
int journal_scan(struct gb_journal *journal, struct gb_err *err);
void segment_name(char name[32], uint32_t number);
/* 0 when the name is not that of a segment. */
uint32_t segment_number(const char *name);

/* SPDX-License-Identifier: Apache-2.0 */
/* The writer thread: takes jobs in order and returns their results on the loop. */
#pragma once

#include "base/buf.h"
#include "base/list.h"
#include "journal/journal.h"
#include "journal/sweep.h"

/* A file of the journal that is being written. The writer frees it at its CLOSE. */
struct segment_file {
    int fd, folder_fd; /* folder: borrowed, synced when files are created or removed */
    uint32_t segment;
    int broken;  /* used by the thread: errno of a failed write; jobs queued after it fail too */
    bool failed; /* used by the loop, which then clears both when the thread is idle */
};

enum job_kind {
    JOB_WRITE,
    JOB_CLOSE,  /* the last job for its file */
    JOB_REMOVE, /* `path` */
    JOB_SWEEP,  /* next to `path`; reports in `bytes` what it did */
    JOB_WAIT,   /* everything before it is done */
};

struct job {
    struct gb_list link;
    enum job_kind kind;
    struct segment_file *file;
    uint64_t offset;
    struct gb_buf bytes;
    size_t bytes_pushed; /* used by the writer: their values when the job was pushed */
    struct gb_surplus_limits limits;
    char *path;
    int result; /* 0 or -errno */
    /* Called once on the loop; may be NULL. Then the job is freed. */
    void (*done)(struct job *job);
    void *arg;
    struct gb_journal_ticket *ticket;
    uint32_t segment;
    struct gb_record_head head;
};

struct writer;

/* @sync_failed: called from the loop if data whose result was already reported may not be on
 * disk. NULL: no descriptor or no thread is left. */
struct writer *writer_new(struct gb_loop *loop, const struct gb_journal_config *config,
                          void (*sync_failed)(void *arg, int sys_errno), void *arg);
/* Takes @job. */
void writer_push(struct writer *writer, struct job *job);
/* Bytes of records that are waiting or being written. */
size_t writer_bytes(const struct writer *writer);
/* Nothing is waiting or being written: the loop may write directly, and then records that. */
bool writer_idle(const struct writer *writer);
void writer_wrote(struct writer *writer, struct segment_file *file);
/* Writes everything queued, syncs it unless configured never to, and ends the thread. Calls the
 * jobs' `done` from within. No-op on NULL. */
void writer_free(struct writer *writer);

/* All of @bytes at @offset: 0 or -errno. */
int write_at(int fd, struct gb_bytes bytes, uint64_t offset);

/* SPDX-License-Identifier: Apache-2.0 */
/* The thread that writes: jobs in, in their order; what became of them out, on the loop. */
#pragma once

#include "base/buf.h"
#include "base/list.h"
#include "journal/journal.h"
#include "journal/sweep.h"

/* A file of the journal that is being written. Freed by the writer with its CLOSE. */
struct segment_file {
    int fd, folder_fd; /* folder: borrowed, synced when files come and go */
    uint32_t segment;
    int broken; /* the thread's: errno of a write that failed: what is queued behind it fails too */
    bool
        failed; /* the loop's: it knows of that, and clears both when the thread has nothing left */
};

enum job_kind {
    JOB_WRITE,
    JOB_CLOSE,  /* the last one of its file */
    JOB_REMOVE, /* `path` */
    JOB_SWEEP,  /* beside `path`; says in `bytes` what it did */
};

struct job {
    struct gb_list link;
    enum job_kind kind;
    struct segment_file *file;
    uint64_t offset;
    struct gb_buf bytes;
    size_t bytes_pushed; /* the writer's: as they were when the job was pushed */
    struct gb_surplus_limits limits;
    char *path;
    int result; /* 0 or -errno */
    /* On the loop, once; NULL: nobody asks. Then the job is freed. */
    void (*done)(struct job *job);
    void *arg;
    struct gb_journal_ticket *ticket;
    uint32_t segment;
    struct gb_record_head head;
};

struct writer;

/* @sync_failed: what was written may not be on the disk, which nobody was told; from the loop. */
struct writer *writer_new(struct gb_loop *loop, const struct gb_journal_config *config,
                          void (*sync_failed)(void *arg, int sys_errno), void *arg);
/* Takes @job. */
void writer_push(struct writer *writer, struct job *job);
/* Of the records that wait or are being written. */
size_t writer_bytes(const struct writer *writer);
/* Nothing is waiting or being written: the loop may write by itself, and then says so. */
bool writer_idle(const struct writer *writer);
void writer_wrote(struct writer *writer, struct segment_file *file);
/* Writes all that is queued, syncs it unless told never to, and ends the thread. The jobs' `done`
 * is called from within. Accepts NULL. */
void writer_free(struct writer *writer);

/* All of @bytes at @offset: 0 or -errno. */
int write_at(int fd, struct gb_bytes bytes, uint64_t offset);

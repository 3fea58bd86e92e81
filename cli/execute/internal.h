/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of `run` and `exec`: jobs and their reports. */
#pragma once

#include "cli/feed.h"
#include "cli/fetch.h"
#include "execute/execute.h"
#include "kit/output.h"
#include "kit/transfer.h"
#include "model/cell.h"

enum job_phase {
    JOB_WAITING, /* waiting for its turn or for capacity */
    JOB_OPENING, /* the VM is starting */
    JOB_UPLOADING,
    JOB_RUNNING,
    JOB_DOWNLOADING,
    JOB_CLOSING, /* everything is reported; the VM is being closed */
    JOB_DONE,
    JOB_PHASE_COUNT
};

/* Where output goes. */
enum target { TO_STDOUT, TO_STDERR, TARGET_COUNT };

struct job {
    struct execution *execution;
    const struct source *source;
    enum job_phase phase;
    char *session;
    bool owned; /* we opened the session and close it */
    int status;
    struct gb_buf records; /* each entry: struct record, then bytes */
    struct gb_buf cell;    /* the result in JSON, for --json */
    struct transfer *transfer;
    struct fetch *fetch;
    size_t file; /* index of the next upload or download */
    bool held;   /* its cell waits for another client's lease, as far as we know */
    size_t at;   /* index of the running cell of the source; equal to the count at the end of a
                  * notebook */
};

struct execution {
    struct app *app;
    const struct args *args;
    const struct execute_config *config;
    struct job *jobs;
    size_t current; /* the first unfinished job: its output is written immediately */
    struct output *outputs[TARGET_COUNT];
    struct gb_signal *signals[3];
    unsigned interrupts;
    int ended_by;      /* the signal that ends us, possibly SIGPIPE; 0: none */
    struct feed *feed; /* standard input, if there is only one job */
};

/* execute.c */
/* Starts the jobs that can start: there is capacity, or it is the next one's turn. */
void execute_next(struct execution *execution);
/* Finished jobs' output has been written: the next job may write immediately. */
void execute_advance(struct execution *execution);
/* Whether any job is in one of these phases, inclusive. */
bool execute_any(const struct execution *execution, enum job_phase first, enum job_phase last);

/* job.c: the life of one job. */
bool job_is_notebook(const struct job *job);
/* Starts it with its own VM, or in the given session. */
void job_start(struct job *job);
/* Ends it with @status in any phase; no-op if it has ended already. */
void job_finish(struct job *job, int status);

/* tries.c */
/* Forks the session for all jobs: those that get none end. */
void tries_fork(struct execution *execution);

/* report.c: output and messages. */
/* Prints a message of ours, with the name of the source if there are several. */
void report_say(struct job *job, const char *message, const char *detail);
/* Writes immediately if it is the job's turn; else stores it in the job's records. */
void report_write(struct job *job, enum target target, struct gb_bytes bytes);
/* It is the job's turn: writes its stored output. */
void report_flush(struct job *job);
/* Bytes not yet accepted by our readers. */
size_t report_queued(const struct execution *execution);
/* Call it when the queue has grown or shrunk; @arg: the execution. */
void report_pace(void *arg);
/* A cell has ended, or a call has failed. @json is the value that @cell was read from. */
void report_cell(struct job *job, const struct gb_cell_info *cell, const struct gb_json *json);
void report_error(struct job *job, const struct gb_call_error *error);
/* For --json: all cells of a notebook are complete; all jobs are. */
void report_end_cells(struct job *job);
void report_json(struct execution *execution);

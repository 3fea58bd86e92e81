/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of `run` and `exec` share: jobs, and what is said of them. */
#pragma once

#include "cli/feed.h"
#include "cli/fetch.h"
#include "execute/execute.h"
#include "kit/output.h"
#include "kit/transfer.h"
#include "model/cell.h"

enum job_phase {
    JOB_WAITING, /* for its turn or for room */
    JOB_OPENING, /* the VM starts */
    JOB_UPLOADING,
    JOB_RUNNING,
    JOB_DOWNLOADING,
    JOB_CLOSING, /* all is known; the VM goes */
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
    bool owned; /* the session is ours to close */
    int status;
    struct gb_buf records; /* each: struct record, bytes */
    struct gb_buf cell;    /* the result in JSON, for --json */
    struct transfer *transfer;
    struct fetch *fetch;
    size_t file; /* which upload or download is next */
    bool held;   /* its cell waits for another client's lease, as far as we know */
    size_t at;   /* which cell of the source runs; its count: the end of a notebook */
};

struct execution {
    struct app *app;
    const struct args *args;
    const struct execute_config *config;
    struct job *jobs;
    size_t current; /* the first job that is not done: its output is written at once */
    struct output *outputs[TARGET_COUNT];
    struct gb_signal *signals[3];
    unsigned interrupts;
    int ended_by;      /* a signal that ends us, SIGPIPE among them; 0: none */
    struct feed *feed; /* standard input, for the cell of the only job */
};

/* execute.c */
/* Starts what can be started: there is room, or it is the turn of the next one. */
void execute_next(struct execution *execution);
/* Output of jobs that are done is out: the next job's may be written at once. */
void execute_advance(struct execution *execution);
/* Whether a job is in one of these phases, both included. */
bool execute_any(const struct execution *execution, enum job_phase first, enum job_phase last);

/* job.c: the way of one job. */
bool job_is_notebook(const struct job *job);
/* With a VM of its own, or in the session that was given. */
void job_start(struct job *job);
/* Ends it with @status, whatever it does; does nothing where that was done already. */
void job_finish(struct job *job, int status);

/* report.c: what is written and said. */
/* A line of ours, with the name of the source where there are several. */
void report_say(struct job *job, const char *message, const char *detail);
/* At once when it is the job's turn; else it waits in the job's records. */
void report_write(struct job *job, enum target target, struct gb_bytes bytes);
/* The job's turn: what it printed while it waited. */
void report_flush(struct job *job);
/* Bytes that our readers have not taken. */
size_t report_queued(const struct execution *execution);
/* After more or less has come to be queued; @arg: the execution. */
void report_pace(void *arg);
/* A cell has ended, or a call has failed. */
/* @json is what @cell was read from. */
void report_cell(struct job *job, const struct gb_cell_info *cell, const struct gb_json *json);
void report_error(struct job *job, const struct gb_call_error *error);
/* With --json: the cells of a notebook are all there; all jobs are. */
void report_end_cells(struct job *job);
void report_json(struct execution *execution);

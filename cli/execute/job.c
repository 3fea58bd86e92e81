/* SPDX-License-Identifier: Apache-2.0 */
/* Running one source: a VM, uploads, cells, downloads, and the end of the VM. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "cli/cell.h"
#include "cli/params.h"
#include "cli/preparing.h"
#include "execute/internal.h"
#include "model/answer.h"
#include "model/session.h"
#include "rpc/access.h"
#include "rpc/object.h"
#include "show/words.h"

enum {
    STDERR_MAX = 4u << 20,
    DEADLINE_MS = 10000,
    ABANDONED_IDLE_MS = 60000, /* a VM whose client was killed closes itself after being idle this
                                * long */
};

static void job_exec(struct job *job);
static void job_upload(struct job *job);
static void job_download(struct job *job);

/* ---- the end ---- */

bool job_is_notebook(const struct job *job)
{
    return job->source->kind == SOURCE_NOTEBOOK;
}

static void job_done(struct job *job)
{
    job->phase = JOB_DONE;
    execute_advance(job->execution);
    execute_next(job->execution);
}

static void job_on_closed(void *arg, const struct gb_json *result,
                          const struct gb_call_error *error)
{
    (void)result;
    (void)error; /* it closes itself when idle, and the code's result is known */
    job_done(arg);
}

void job_finish(struct job *job, int status)
{
    if (job->phase >= JOB_CLOSING)
        return;
    transfer_cancel(job->transfer);
    fetch_cancel(job->fetch);
    job->transfer = NULL;
    job->fetch = NULL;
    job->status = status;
    job->phase = JOB_CLOSING;
    execute_advance(job->execution);
    if (!job->owned || job->session == NULL) {
        job_done(job);
        return;
    }
    app_send_on(job->execution->app, "session.close", job->session, DEADLINE_MS, job_on_closed,
                job);
}

static void job_fail(struct job *job, const struct gb_call_error *error)
{
    preparing_end(&job->execution->app->preparing); /* it may be another job's */
    report_error(job, error);
    job_finish(job, EXIT_GLASSBELL);
}

/* The answer is invalid: the code has run, and its result is unknown. */
static void job_refuse(struct job *job, const struct gb_err *err)
{
    struct gb_call_error error = {.code = err->code, .dispatched = true};

    (void)snprintf(error.kind, sizeof(error.kind), "%s", gb_code_kind(err->code));
    (void)snprintf(error.message, sizeof(error.message), "%s", err->message);
    job_fail(job, &error);
}

/* ---- files ---- */

static void job_say_err(struct job *job, const struct gb_err *err)
{
    char detail[64];

    (void)snprintf(detail, sizeof(detail), " (%s)", gb_code_kind(err->code));
    report_say(job, err->message, detail);
}

static void job_on_uploaded(void *arg, const struct gb_err *err)
{
    struct job *job = arg;

    job->transfer = NULL;
    if (err != NULL) {
        job_say_err(job, err);
        job_finish(job, EXIT_GLASSBELL);
        return;
    }
    job_upload(job);
}

static void job_upload(struct job *job)
{
    const struct execute_config *config = job->execution->config;
    struct transfer_config transfer = {
        .session = job->session, .finished = job_on_uploaded, .arg = job};
    struct gb_err err = {0};

    job->phase = JOB_UPLOADING;
    if (job->file == config->upload_count) {
        job->file = 0;
        if (config->session != NULL && job->source->count == 0)
            job_download(job); /* a notebook without code */
        else
            job_exec(job);
        return;
    }
    transfer.local = config->uploads[job->file].local;
    transfer.remote = config->uploads[job->file].remote;
    job->file++;
    job->transfer = transfer_upload(job->execution->app->client, &transfer, &err);
    if (job->transfer == NULL) {
        job_say_err(job, &err);
        job_finish(job, EXIT_GLASSBELL);
    }
}

static void job_on_downloaded(void *arg, const struct gb_err *err)
{
    struct job *job = arg;

    job->fetch = NULL;
    if (err != NULL) {
        /* The others are still fetched; a failure of the code has precedence. */
        job_say_err(job, err);
        if (job->status == 0)
            job->status = EXIT_GLASSBELL;
    }
    job_download(job);
}

static void job_download(struct job *job)
{
    const struct execute_config *config = job->execution->config;
    struct fetch_config fetch = {
        .session = job->session, .finished = job_on_downloaded, .arg = job};

    job->phase = JOB_DOWNLOADING;
    if (job->file == config->download_count) {
        job_finish(job, job->status);
        return;
    }
    fetch.local = config->downloads[job->file].local;
    fetch.remote = config->downloads[job->file].remote;
    job->file++;
    job->fetch = fetch_start(job->execution->app->client, &fetch);
}

/* ---- cells ---- */

/* The cell that ends the interpreter: for a notebook, an empty one. */
static bool job_is_final(const struct job *job)
{
    return job->execution->config->session == NULL &&
           job->at == (job_is_notebook(job) ? job->source->count : 0);
}

/* A notebook runs until a cell fails; then, in its own VM, its interpreter ends. */
static bool job_next_cell(struct job *job)
{
    size_t end = job->source->count;

    if (!job_is_notebook(job) || job->at == end)
        return false;
    job->at = job->status == 0 ? job->at + 1 : end;
    if (job->at == end && job->execution->config->session != NULL)
        return false;
    job_exec(job);
    return true;
}

static void job_on_cell(void *arg, const struct gb_json *cell, const struct gb_call_error *error)
{
    struct job *job = arg;
    struct execution *execution = job->execution;
    struct gb_cell_info told;
    struct gb_err err = {0};
    int status;

    job->held = false;
    if (execution->feed != NULL)
        feed_end(execution->feed);
    if (error != NULL) {
        job_fail(job, error);
        return;
    }
    if (gb_object_read(&gb_cell_object, cell, &told, &err) < 0) {
        job_refuse(job, &err);
        return;
    }
    status = cell_exit_status(&told);
    if (job->status == 0)
        job->status = status;
    report_cell(job, &told, cell);
    if (job_next_cell(job))
        return;
    report_end_cells(job);
    job_download(job);
}

/* Tells whoever has to wait for whom, and for how long. */
static void job_on_looked(void *arg, const struct gb_json *result,
                          const struct gb_call_error *error)
{
    struct job *job = arg;
    struct gb_session_info session;
    struct gb_bytes holder;
    struct gb_buf text = {0};
    char patience[32];

    gb_object_take(&gb_session_object, result, &session);
    if (error != NULL || (session.flags & GB_SESSION_HAS_LEASE) == 0 || job->phase != JOB_RUNNING)
        return;
    holder = session.lease.holder;
    job->held = true;
    words_age(patience, sizeof(patience), (double)job->execution->config->lease_wait_ms / 1000);
    gb_buf_addf(&text, "the session is held by %s%.*s: waiting for up to %s (Ctrl-C gives up)",
                (session.lease.flags & GB_LEASE_HUMAN) != 0 ? "a person at " : "",
                holder.size > 0 ? (int)MIN(holder.size, (size_t)128) : 23,
                holder.size > 0 ? (const char *)holder.data : "a client without a name", patience);
    report_say(job, gb_buf_str(&text), "");
    gb_buf_release(&text);
}

static void job_exec(struct job *job)
{
    struct execution *execution = job->execution;
    const struct execute_config *config = execution->config;
    struct gb_buf params = {0};
    struct gb_json_out out = {.buf = &params};
    char try[32];

    job->phase = JOB_RUNNING;
    gb_json_object(&out, NULL);
    gb_json_put_str(&out, "session", job->session);
    source_put(&out, job->source, job->at, config->session == NULL);
    gb_json_put_bool(&out, "final", job_is_final(job));
    /* Input waits for the notification that the cell has started. */
    gb_json_put_bool(&out, "stream", !config->json || config->forward_stdin);
    gb_json_put_u64(&out, "max_stdout", config->max_output);
    gb_json_put_u64(&out, "max_stderr", STDERR_MAX);
    gb_json_put_bool(&out, "interactive", config->forward_stdin);
    if (config->timeout_ms > 0)
        gb_json_put_u64(&out, "timeout_ms", config->timeout_ms);
    if (config->session != NULL) {
        (void)snprintf(try, sizeof(try), "%td", job - execution->jobs + 1);
        /* Checked before. */
        (void)params_put_env_and(execution->args, &out, config->tries ? "TRY" : NULL, try);
        gb_json_put_u64(&out, "lease_wait_ms", config->lease_wait_ms);
        if (config->lease_wait_ms > 0 && !config->tries)
            app_send_on(execution->app, "session.get", job->session, DEADLINE_MS, job_on_looked,
                        job);
    }
    gb_json_end(&out);
    (void)gb_client_call(execution->app->client, "session.exec", &params, 0, job_on_cell, job);
    gb_buf_release(&params);
}

/* ---- the VM ---- */

static void job_on_opened(void *arg, const struct gb_json *result,
                          const struct gb_call_error *error)
{
    struct job *job = arg;
    struct gb_opened_info opened;

    preparing_end(&job->execution->app->preparing);
    if (error != NULL) {
        if (error->code == GB_ECAPACITY && !error->dispatched &&
            execute_any(job->execution, JOB_UPLOADING, JOB_CLOSING)) {
            job->phase = JOB_WAITING; /* until one of our jobs has ended */
            return;
        }
        job_fail(job, error);
        return;
    }
    gb_object_take(&gb_opened_object, result, &opened);
    job->session = xstrndup((const char *)opened.session.data, opened.session.size);
    job->owned = true;
    if (job->execution->ended_by != 0) {
        job_finish(job, EXIT_GLASSBELL);
        return;
    }
    job_upload(job);
}

static void job_open(struct job *job)
{
    struct execution *execution = job->execution;
    const char *image = execution->config->image;
    struct gb_buf params = {0};
    struct gb_json_out out = {.buf = &params};

    job->phase = JOB_OPENING;
    if (image == NULL)
        image = job->source->language != NULL ? job->source->language : GB_IMAGE_DEFAULT;
    gb_json_object(&out, NULL);
    gb_json_put_str(&out, "image", image);
    gb_json_put_str(&out, "label", "run");
    gb_json_put_u64(&out, "idle_ms", ABANDONED_IDLE_MS);
    (void)params_put_env(execution->args, &out); /* all three were checked before */
    (void)params_put_memory(execution->args, &out);
    (void)params_put_network(execution->args, &out);
    (void)params_put_packages(execution->args, &out);
    gb_json_end(&out);
    (void)gb_client_call(execution->app->client, "session.open", &params,
                         params_open_ms(execution->args), job_on_opened, job);
    gb_buf_release(&params);
}

void job_start(struct job *job)
{
    const char *session = job->execution->config->session;

    if (session == NULL) {
        job_open(job);
        return;
    }
    if (job->session == NULL) /* otherwise a fork of it */
        job->session = xstrdup(session);
    job_upload(job);
}

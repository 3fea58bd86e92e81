/* SPDX-License-Identifier: Apache-2.0 */
/* Theory of operation. A job is a source on its way: a VM is opened (unless the session is given),
 * files are brought in, the code runs, files are fetched, the VM is closed. Jobs with VMs of their
 * own go on at the same time; when the host has no room (`capacity`) a job waits for another one of
 * ours to end. The jobs of one session go one after the other.
 *
 * Output is passed on in the order of the sources, each whole: what belongs to the first job that
 * has not ended is written at once, what others print waits in their records (bounded by the caps
 * that the server keeps). When the reader of our output is slow we stop reading the socket, the
 * server stops reading the guest, and the program waits.
 *
 * Interrupts: the first Ctrl-C goes to the cells, the second one closes the VMs (or leaves a
 * session of somebody's alone) and ends.
 */
#include "execute.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "cli/cell.h"
#include "cli/feed.h"
#include "cli/fetch.h"
#include "cli/output.h"
#include "cli/transfer.h"
#include "verbs.h"

enum {
    OUTPUT_QUEUE_MAX = 1u << 20,
    STDERR_MAX = 4u << 20,
    CLOSE_DEADLINE_MS = 10000,
    OPEN_DEADLINE_MS = 300000,
    ABANDONED_IDLE_MS = 60000, /* a VM whose client was killed closes itself after so long */
};

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

/* Where a record of waiting output goes. */
enum target { TO_STDOUT, TO_STDERR, TARGET_COUNT };

struct record {
    enum target target;
    size_t size;
};

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

static void start_next(struct execution *execution);
static void job_exec(struct job *job);
static void next_upload(struct job *job);
static void next_download(struct job *job);

/* ---- output ---- */

static size_t all_queued(struct output *const outputs[TARGET_COUNT])
{
    return output_queued(outputs[TO_STDOUT]) + output_queued(outputs[TO_STDERR]);
}

/* After more or less has come to be queued. */
static void pace(void *arg)
{
    struct execution *execution = arg;

    gb_client_pause(execution->app->client, all_queued(execution->outputs) > OUTPUT_QUEUE_MAX);
}

static void job_write(struct job *job, enum target target, struct gb_bytes bytes)
{
    struct execution *execution = job->execution;
    struct record record = {target, bytes.size};

    if (bytes.size == 0)
        return;
    if (job == &execution->jobs[execution->current]) {
        output_write(execution->outputs[target], bytes);
        pace(execution);
        return;
    }
    gb_buf_add(&job->records, &record, sizeof(record));
    gb_buf_add(&job->records, bytes.data, bytes.size);
}

static void job_say(struct job *job, const char *message, const char *detail)
{
    struct gb_buf line = {0};

    gb_buf_adds(&line, "glassbell: ");
    if (job->execution->config->count > 1) {
        gb_escape(&line, gb_bytes_str(job->source->name), 200);
        gb_buf_adds(&line, ": ");
    }
    gb_escape(&line, gb_bytes_str(message), 4096);
    gb_buf_adds(&line, detail);
    gb_buf_adds(&line, "\n");
    job_write(job, TO_STDERR, gb_buf_bytes(&line));
    gb_buf_release(&line);
}

/* The next job's turn: what it printed while it waited. */
static void flush_records(struct job *job)
{
    while (job->records.size >= sizeof(struct record)) {
        struct record record;

        memcpy(&record, gb_buf_data(&job->records), sizeof(record));
        gb_buf_consume(&job->records, sizeof(record));
        job_write(job, record.target, (struct gb_bytes){gb_buf_data(&job->records), record.size});
        gb_buf_consume(&job->records, record.size);
    }
}

static void advance(struct execution *execution)
{
    while (execution->current < execution->config->count &&
           execution->jobs[execution->current].phase >= JOB_CLOSING) {
        execution->current++;
        if (execution->current < execution->config->count)
            flush_records(&execution->jobs[execution->current]);
    }
}

/* ---- the end of a job ---- */

static bool is_notebook(const struct job *job)
{
    return job->source->kind == SOURCE_NOTEBOOK;
}

static void job_done(struct job *job)
{
    job->phase = JOB_DONE;
    advance(job->execution);
    start_next(job->execution);
}

static void on_session_closed(void *arg, const struct gb_json *result,
                              const struct gb_call_error *error)
{
    (void)result;
    (void)error; /* it closes itself when it is idle, and the outcome of the code is known */
    job_done(arg);
}

static void job_finish(struct job *job, int status)
{
    struct execution *execution = job->execution;
    struct gb_buf params = {0};
    struct gb_json_out out = {.buf = &params};

    if (job->phase >= JOB_CLOSING)
        return;
    transfer_cancel(job->transfer);
    fetch_cancel(job->fetch);
    job->transfer = NULL;
    job->fetch = NULL;
    job->status = status;
    job->phase = JOB_CLOSING;
    advance(execution);
    if (!job->owned || job->session == NULL) {
        job_done(job);
        return;
    }
    gb_json_object(&out, NULL);
    gb_json_put_str(&out, "session", job->session);
    gb_json_end(&out);
    (void)gb_client_call(execution->app->client, "session.close", &params, CLOSE_DEADLINE_MS,
                         on_session_closed, job);
    gb_buf_release(&params);
}

static void job_fail(struct job *job, const struct gb_call_error *error)
{
    const char *next = error->dispatched  ? "the code may have run; look before you run it again"
                       : error->retryable ? "nothing ran; the same command may work later"
                                          : "nothing ran";
    char detail[160];

    (void)snprintf(detail, sizeof(detail), " (%s: %s)", gb_code_kind(error->code), next);
    job_say(job, error->message, detail);
    if (job->execution->config->json) {
        struct gb_json_out out = {.buf = &job->cell};

        if (is_notebook(job))
            gb_buf_adds(&job->cell, job->cell.size == 0 ? "[" : ",\n");
        gb_json_object(&out, NULL);
        gb_json_object(&out, "error");
        gb_json_put_str(&out, "kind", error->kind);
        gb_json_put_str(&out, "message", error->message);
        gb_json_put_bool(&out, "dispatched", error->dispatched);
        gb_json_put_bool(&out, "retryable", error->retryable);
        gb_json_end(&out);
        gb_json_end(&out);
        if (is_notebook(job))
            gb_buf_adds(&job->cell, "]");
    }
    job_finish(job, EXIT_GLASSBELL);
}

/* ---- files ---- */

static void transfer_failed(struct job *job, const struct gb_err *err)
{
    char detail[64];

    (void)snprintf(detail, sizeof(detail), " (%s)", gb_code_kind(err->code));
    job_say(job, err->message, detail);
}

static void on_uploaded(void *arg, const struct gb_err *err)
{
    struct job *job = arg;

    job->transfer = NULL;
    if (err != NULL) {
        transfer_failed(job, err);
        job_finish(job, EXIT_GLASSBELL);
        return;
    }
    next_upload(job);
}

static void next_upload(struct job *job)
{
    const struct execute_config *config = job->execution->config;
    struct transfer_config transfer = {
        .session = job->session, .finished = on_uploaded, .arg = job};
    struct gb_err err = {0};

    job->phase = JOB_UPLOADING;
    if (job->file == config->upload_count) {
        job->file = 0;
        if (config->session != NULL && job->source->count == 0)
            next_download(job); /* a notebook without code */
        else
            job_exec(job);
        return;
    }
    transfer.local = config->uploads[job->file].local;
    transfer.remote = config->uploads[job->file].remote;
    job->file++;
    job->transfer = transfer_upload(job->execution->app->client, &transfer, &err);
    if (job->transfer == NULL) {
        transfer_failed(job, &err);
        job_finish(job, EXIT_GLASSBELL);
    }
}

static void on_downloaded(void *arg, const struct gb_err *err)
{
    struct job *job = arg;

    job->fetch = NULL;
    if (err != NULL) {
        /* The others are still fetched; the code's own failure outweighs. */
        transfer_failed(job, err);
        if (job->status == 0)
            job->status = EXIT_GLASSBELL;
    }
    next_download(job);
}

static void next_download(struct job *job)
{
    const struct execute_config *config = job->execution->config;
    struct fetch_config fetch = {.session = job->session, .finished = on_downloaded, .arg = job};

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

/* ---- the cell ---- */

/* The cell with which the interpreter ends: a notebook has an empty one for it. */
static bool is_final(const struct job *job)
{
    return job->execution->config->session == NULL &&
           job->at == (is_notebook(job) ? job->source->count : 0);
}

static void tell_truncated(struct job *job, const struct gb_json *cell)
{
    static const char *const names[] = {"stdout", "stderr"};
    const struct gb_json *truncated = json_member(cell, "truncated");

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        double bytes = json_number(truncated, names[i]);
        char text[160];

        if (bytes < 1)
            continue;
        (void)snprintf(text, sizeof(text), "%.0f bytes of %s were left out%s", bytes,
                       i == 0 ? "standard output" : "standard error",
                       i == 0 ? "; --max-output raises the limit" : "");
        job_say(job, text, "");
    }
}

static void tell_outcome(struct job *job, const struct gb_json *cell)
{
    struct gb_bytes note = json_text(cell, "note");

    tell_truncated(job, cell);
    if (json_true(cell, "oom"))
        job_say(job, "the VM ran out of memory; -m gives it more", "");
    if (json_true(cell, "timed_out"))
        job_say(job, "the time is up; -t gives it more", "");
    if (note.size > 0 && cell_exit_status(cell) == EXIT_GLASSBELL) {
        _cleanup_(freep) char *text = xstrndup((const char *)note.data, note.size);

        job_say(job, text, "");
    }
    if (!job->execution->config->forward_stdin && cell_wanted_input(cell))
        job_say(job, "the program wanted to read, and has no standard input; --stdin gives it ours",
                "");
}

/* What a notebook shows of a cell beside what it prints. */
static void show_results(struct job *job, const struct gb_json *cell)
{
    const struct gb_json *displays = json_member(cell, "displays"), *display;
    struct gb_bytes value = json_text(cell, "value");

    job_write(job, TO_STDOUT, value);
    if (value.size > 0)
        job_write(job, TO_STDOUT, gb_bytes_str("\n"));
    if (displays == NULL || displays->type != GB_JSON_ARRAY)
        return;
    display = gb_json_first(displays);
    for (uint32_t i = 0; i < displays->count; i++, display = gb_json_next(display)) {
        struct gb_bytes mime = json_text(display, "mime");
        char text[160];

        (void)snprintf(text, sizeof(text), "cell %zu shows %.*s; --json has it", job->at + 1,
                       (int)MIN(mime.size, (size_t)64), (const char *)mime.data);
        job_say(job, text, "");
    }
}

/* As JSON: the cell, or those of a notebook in an array, without an end that says nothing. */
static void keep_cell(struct job *job, const struct gb_json *cell)
{
    struct gb_json_out out = {.buf = &job->cell};

    if (is_notebook(job) && job->at == job->source->count && !cell_says_anything(cell))
        return;
    if (is_notebook(job))
        gb_buf_adds(&job->cell, job->cell.size == 0 ? "[" : ",\n");
    json_print(&out, NULL, cell);
}

/* A notebook goes on until a cell fails; then, in a VM of its own, its interpreter ends. */
static bool next_cell(struct job *job)
{
    size_t end = job->source->count;

    if (!is_notebook(job) || job->at == end)
        return false;
    job->at = job->status == 0 ? job->at + 1 : end;
    if (job->at == end && job->execution->config->session != NULL)
        return false;
    job_exec(job);
    return true;
}

static void on_cell(void *arg, const struct gb_json *cell, const struct gb_call_error *error)
{
    struct job *job = arg;
    struct execution *execution = job->execution;
    int status;

    job->held = false;
    if (execution->feed != NULL)
        feed_end(execution->feed);
    if (error != NULL) {
        job_fail(job, error);
        return;
    }
    status = cell_exit_status(cell);
    if (job->status == 0)
        job->status = status;
    if (execution->config->json) {
        keep_cell(job, cell);
    } else {
        if (is_notebook(job))
            show_results(job, cell);
        tell_outcome(job, cell);
    }
    if (next_cell(job))
        return;
    if (execution->config->json && is_notebook(job))
        gb_buf_adds(&job->cell, job->cell.size == 0 ? "[]" : "]");
    next_download(job);
}

/* Who has to wait is told for whom, and for how long. */
static void on_looked(void *arg, const struct gb_json *result, const struct gb_call_error *error)
{
    const struct gb_json *lease = json_member(result, "lease");
    struct job *job = arg;
    struct gb_bytes holder = json_text(lease, "holder");
    struct gb_buf text = {0};
    char patience[32];

    if (error != NULL || lease == NULL || lease->type != GB_JSON_OBJECT ||
        job->phase != JOB_RUNNING)
        return;
    job->held = true;
    format_age(patience, sizeof(patience), (double)job->execution->config->lease_wait_ms / 1000);
    gb_buf_addf(&text, "the session is held by %s%.*s: waiting for up to %s (Ctrl-C gives up)",
                json_true(lease, "human") ? "a person at " : "",
                holder.size > 0 ? (int)MIN(holder.size, (size_t)128) : 23,
                holder.size > 0 ? (const char *)holder.data : "a client without a name", patience);
    job_say(job, gb_buf_str(&text), "");
    gb_buf_release(&text);
}

static void look_for_lease(struct job *job)
{
    struct gb_buf params = {0};
    struct gb_json_out out = {.buf = &params};

    gb_json_object(&out, NULL);
    gb_json_put_str(&out, "session", job->session);
    gb_json_end(&out);
    (void)gb_client_call(job->execution->app->client, "session.get", &params, CLOSE_DEADLINE_MS,
                         on_looked, job);
    gb_buf_release(&params);
}

static void job_exec(struct job *job)
{
    struct execution *execution = job->execution;
    const struct execute_config *config = execution->config;
    struct gb_buf params = {0};
    struct gb_json_out out = {.buf = &params};

    job->phase = JOB_RUNNING;
    gb_json_object(&out, NULL);
    gb_json_put_str(&out, "session", job->session);
    source_put(&out, job->source, job->at, config->session == NULL);
    gb_json_put_bool(&out, "final", is_final(job));
    /* Input waits for the notification that the cell has begun. */
    gb_json_put_bool(&out, "stream", !config->json || config->forward_stdin);
    gb_json_put_u64(&out, "max_stdout", config->max_output);
    gb_json_put_u64(&out, "max_stderr", STDERR_MAX);
    gb_json_put_bool(&out, "interactive", config->forward_stdin);
    if (config->timeout_ms > 0)
        gb_json_put_u64(&out, "timeout_ms", config->timeout_ms);
    if (config->session != NULL) {
        (void)put_env(execution->args, &out); /* checked before */
        gb_json_put_u64(&out, "lease_wait_ms", config->lease_wait_ms);
        if (config->lease_wait_ms > 0)
            look_for_lease(job);
    }
    gb_json_end(&out);
    (void)gb_client_call(execution->app->client, "session.exec", &params, 0, on_cell, job);
    gb_buf_release(&params);
}

/* ---- standard input ---- */

static void on_feed_failed(void *arg, const char *message)
{
    struct execution *execution = arg;

    job_say(&execution->jobs[0], message, "");
}

/* The cell has begun: what we are given is for it and for no other. */
static void on_started(struct execution *execution, const struct gb_json *params)
{
    const struct job *job = &execution->jobs[0];

    if (execution->feed != NULL && job->phase == JOB_RUNNING &&
        gb_bytes_equal(json_text(params, "session"), job->session))
        feed_begin(execution->feed, job->session, json_count(params, "cell"));
}

/* ---- the VM ---- */

/* Whether a job is in one of these phases, both included. */
static bool any_job(const struct execution *execution, enum job_phase first, enum job_phase last)
{
    for (size_t i = 0; i < execution->config->count; i++)
        if (execution->jobs[i].phase >= first && execution->jobs[i].phase <= last)
            return true;
    return false;
}

static void on_opened(void *arg, const struct gb_json *result, const struct gb_call_error *error)
{
    struct job *job = arg;
    struct gb_bytes id;

    if (error != NULL) {
        if (error->code == GB_ECAPACITY && !error->dispatched &&
            any_job(job->execution, JOB_UPLOADING, JOB_CLOSING)) {
            job->phase = JOB_WAITING; /* until one of ours has gone */
            return;
        }
        job_fail(job, error);
        return;
    }
    id = json_text(result, "session");
    job->session = xstrndup((const char *)id.data, id.size);
    job->owned = true;
    if (job->execution->ended_by != 0) {
        job_finish(job, EXIT_GLASSBELL);
        return;
    }
    next_upload(job);
}

static void job_open(struct job *job)
{
    struct execution *execution = job->execution;
    const char *image = execution->config->image;
    struct gb_buf params = {0};
    struct gb_json_out out = {.buf = &params};

    job->phase = JOB_OPENING;
    if (image == NULL)
        image = job->source->language != NULL ? job->source->language : "python";
    gb_json_object(&out, NULL);
    gb_json_put_str(&out, "image", image);
    gb_json_put_str(&out, "label", "run");
    gb_json_put_u64(&out, "idle_ms", ABANDONED_IDLE_MS);
    (void)put_env(execution->args, &out); /* checked before, both */
    (void)put_memory(execution->args, &out);
    gb_json_end(&out);
    (void)gb_client_call(execution->app->client, "session.open", &params, OPEN_DEADLINE_MS,
                         on_opened, job);
    gb_buf_release(&params);
}

static void start_next(struct execution *execution)
{
    const struct execute_config *config = execution->config;

    for (size_t i = 0; i < config->count && execution->ended_by == 0; i++) {
        struct job *job = &execution->jobs[i];

        if (job->phase != JOB_WAITING) {
            if (config->session != NULL && job->phase != JOB_DONE)
                return; /* one after the other */
            continue;
        }
        if (config->session == NULL) {
            job_open(job);
        } else {
            job->session = xstrdup(config->session);
            next_upload(job);
            return;
        }
    }
}

/* ---- notifications, signals ---- */

static void on_notified(void *arg, const char *method, const struct gb_json *params)
{
    struct execution *execution = arg;
    struct gb_bytes session = json_text(params, "session");
    bool to_stderr = gb_bytes_equal(json_text(params, "stream"), "stderr");
    struct gb_buf decoded = {0};

    if (strcmp(method, "cell.started") == 0)
        on_started(execution, params);
    /* What an earlier cell left running is not this program's output. */
    if (strcmp(method, "cell.output") != 0 || json_true(params, "background") ||
        execution->config->json)
        return;
    for (size_t i = 0; i < execution->config->count; i++) {
        struct job *job = &execution->jobs[i];

        if (job->phase != JOB_RUNNING || !gb_bytes_equal(session, job->session))
            continue;
        if (json_add_bytes(&decoded, params, "text", "base64"))
            job_write(job, to_stderr ? TO_STDERR : TO_STDOUT, gb_buf_bytes(&decoded));
        break;
    }
    gb_buf_release(&decoded);
}

static void end_all(struct execution *execution, int signum)
{
    if (execution->ended_by == 0)
        execution->ended_by = signum;
    gb_client_pause(execution->app->client, false);
    for (size_t i = 0; i < execution->config->count; i++) {
        struct job *job = &execution->jobs[i];

        if (job->phase == JOB_OPENING)
            continue; /* it is closed as soon as its id is known */
        job_finish(job, 128 + signum);
    }
}

static void interrupt_cells(struct execution *execution)
{
    for (size_t i = 0; i < execution->config->count; i++) {
        struct job *job = &execution->jobs[i];
        struct gb_buf params = {0};
        struct gb_json_out out = {.buf = &params};

        /* An interrupt of the session would meet the lease holder's cell. When ours has begun
         * meanwhile, the end of our connection interrupts it and no other. */
        if (job->phase == JOB_WAITING || job->phase == JOB_UPLOADING ||
            job->phase == JOB_DOWNLOADING || (job->phase == JOB_RUNNING && job->held))
            job_finish(job, 128 + SIGINT);
        if (job->phase != JOB_RUNNING)
            continue;
        gb_json_object(&out, NULL);
        gb_json_put_str(&out, "session", job->session);
        gb_json_end(&out);
        (void)gb_client_call(execution->app->client, "session.interrupt", &params,
                             CLOSE_DEADLINE_MS, NULL, NULL);
        gb_buf_release(&params);
    }
}

static void on_signal(void *arg, int signum)
{
    struct execution *execution = arg;

    if (signum == SIGINT && execution->interrupts++ == 0 &&
        any_job(execution, JOB_RUNNING, JOB_RUNNING))
        interrupt_cells(execution);
    else
        end_all(execution, signum);
}

static void on_broken(void *arg, int sys_errno)
{
    struct execution *execution = arg;

    end_all(execution, SIGPIPE);
    if (sys_errno == EPIPE)
        return;
    app_say("cannot write the output: %s", strerror(sys_errno));
    execution->ended_by = -1;
}

/* ---- all of it ---- */

/* All outcomes are known. The VMs go by themselves: nobody waits for that. */
static bool finished(const struct execution *execution)
{
    for (size_t i = 0; i < execution->config->count; i++) {
        enum job_phase phase = execution->jobs[i].phase;

        if (phase == JOB_OPENING && execution->interrupts > 1)
            continue; /* the impatient: that VM closes itself when it is idle */
        if (phase < JOB_CLOSING)
            return false;
    }
    return true;
}

static void write_json(struct execution *execution)
{
    const struct execute_config *config = execution->config;
    struct gb_buf text = {0};

    if (config->count > 1)
        gb_buf_adds(&text, "[");
    for (size_t i = 0; i < config->count; i++) {
        const struct gb_buf *cell = &execution->jobs[i].cell;

        if (i > 0)
            gb_buf_adds(&text, ",\n");
        if (cell->size > 0)
            gb_buf_add(&text, gb_buf_data(cell), cell->size);
        else
            gb_buf_adds(&text, "null");
    }
    gb_buf_adds(&text, config->count > 1 ? "]\n" : "\n");
    json_make_visible(&text, 0);
    output_write(execution->outputs[TO_STDOUT], gb_buf_bytes(&text));
    gb_buf_release(&text);
}

/* Frees it. */
static int execution_end(struct execution *execution)
{
    int status = 0, ended_by = execution->ended_by;

    for (size_t i = 0; i < execution->config->count; i++) {
        struct job *job = &execution->jobs[i];

        status = MAX(status, job->status);
        gb_buf_release(&job->records);
        gb_buf_release(&job->cell);
        free(job->session);
    }
    for (size_t i = 0; i < ARRAY_SIZE(execution->signals); i++)
        gb_signal_free(execution->signals[i]);
    feed_free(execution->feed);
    for (size_t i = 0; i < TARGET_COUNT; i++)
        output_free(execution->outputs[i]);
    free(execution->jobs);
    free(execution);
    if (ended_by == SIGPIPE) {
        /* As any filter ends whose reader has gone. */
        (void)signal(SIGPIPE, SIG_DFL); /* allowed: its one use that is the same everywhere */
        (void)raise(SIGPIPE);
    }
    if (ended_by < 0)
        return EXIT_GLASSBELL;
    return ended_by > 0 ? 128 + ended_by : status;
}

int execute(struct app *app, const struct args *args, const struct execute_config *config)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    struct execution *execution = xcalloc(1, sizeof(*execution));

    execution->app = app;
    execution->args = args;
    execution->config = config;
    execution->jobs = xcalloc(config->count, sizeof(*execution->jobs));
    for (size_t i = 0; i < config->count; i++) {
        execution->jobs[i].execution = execution;
        execution->jobs[i].source = &config->sources[i];
    }
    for (int i = 0; i < TARGET_COUNT; i++)
        execution->outputs[i] =
            output_new(app->loop, STDOUT_FILENO + i, pace, on_broken, execution);
    for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
        execution->signals[i] = gb_signal_new(app->loop, signals[i], on_signal, execution);
    if (config->forward_stdin)
        execution->feed = feed_new(app, on_feed_failed, execution);
    app->events.notified = on_notified;
    app->arg = execution;
    start_next(execution);
    while (!finished(execution))
        app_turn(app);
    app->events = (struct gb_client_events){0};
    if (config->json && execution->ended_by == 0)
        write_json(execution);
    /* Whom a signal ends waits for no reader, who may never read again. */
    while ((execution->ended_by == 0 && all_queued(execution->outputs) > 0) ||
           gb_client_queued(app->client) > 0)
        app_turn(app);
    return execution_end(execution);
}

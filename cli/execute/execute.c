/* SPDX-License-Identifier: Apache-2.0 */
/* Theory of operation. A job is a source being run: a VM is opened (unless a session is given),
 * files are uploaded, the code runs, files are downloaded, the VM is closed. Jobs with their own
 * VMs run concurrently; if the host has no capacity (`capacity`), a job waits for another of our
 * jobs to end. The jobs in one session run one after the other, unless each has a fork of it
 * (tries.c).
 *
 * Output is passed on in the order of the sources, complete for each: output of the first
 * unfinished job is written immediately, that of the others waits in their records (bounded by the
 * server's output limits). If the reader of our output is slow we stop reading the socket, the
 * server stops reading the guest, and the program blocks.
 *
 * Interrupts: the first Ctrl-C goes to the cells, the second one closes the VMs (but not somebody
 * else's session) and exits.
 */
#include "execute/execute.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "execute/internal.h"
#include "model/event.h"
#include "rpc/access.h"
#include "rpc/object.h"

enum { INTERRUPT_DEADLINE_MS = 10000 };

/* ---- order ---- */

void execute_advance(struct execution *execution)
{
    while (execution->current < execution->config->count &&
           execution->jobs[execution->current].phase >= JOB_CLOSING) {
        execution->current++;
        if (execution->current < execution->config->count)
            report_flush(&execution->jobs[execution->current]);
    }
}

bool execute_any(const struct execution *execution, enum job_phase first, enum job_phase last)
{
    for (size_t i = 0; i < execution->config->count; i++)
        if (execution->jobs[i].phase >= first && execution->jobs[i].phase <= last)
            return true;
    return false;
}

void execute_next(struct execution *execution)
{
    const struct execute_config *config = execution->config;

    for (size_t i = 0; i < config->count && execution->ended_by == 0; i++) {
        struct job *job = &execution->jobs[i];

        if (job->phase != JOB_WAITING) {
            if (config->session != NULL && !config->tries && job->phase != JOB_DONE)
                return; /* one after the other */
            continue;
        }
        job_start(job);
        if (config->session != NULL && !config->tries)
            return;
    }
}

/* ---- standard input ---- */

static void execute_on_feed_failed(void *arg, const char *message)
{
    struct execution *execution = arg;

    report_say(&execution->jobs[0], message, "");
}

/* The cell has started: our input is for it and for no other. */
static void execute_on_started(struct execution *execution, const struct gb_json *params)
{
    const struct job *job = &execution->jobs[0];

    if (execution->feed != NULL && job->phase == JOB_RUNNING &&
        gb_bytes_equal(json_text(params, "session"), job->session))
        feed_begin(execution->feed, job->session, json_count(params, "cell"));
}

/* ---- notifications, signals ---- */

static void execute_on_notified(void *arg, const char *method, const struct gb_json *params)
{
    struct execution *execution = arg;
    struct gb_bytes session = json_text(params, "session");
    struct gb_output_info piece;
    struct gb_buf decoded = {0};

    if (strcmp(method, "cell.started") == 0)
        execute_on_started(execution, params);
    if (strcmp(method, "cell.output") != 0 || execution->config->json)
        return;
    gb_object_take(&gb_output_object, params, &piece);
    /* Output of processes left by an earlier cell is not this program's. */
    if ((piece.flags & GB_OUTPUT_BACKGROUND) != 0)
        return;
    for (size_t i = 0; i < execution->config->count; i++) {
        struct job *job = &execution->jobs[i];

        if (job->phase != JOB_RUNNING || !gb_bytes_equal(session, job->session))
            continue;
        if (gb_bytes_add_decoded(&decoded, piece.data, (piece.flags & GB_OUTPUT_BASE64) != 0))
            report_write(job, piece.stream == GB_STDERR ? TO_STDERR : TO_STDOUT,
                         gb_buf_bytes(&decoded));
        break;
    }
    gb_buf_release(&decoded);
}

static void execute_end_all(struct execution *execution, int signum)
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

static void execute_interrupt(struct execution *execution)
{
    for (size_t i = 0; i < execution->config->count; i++) {
        struct job *job = &execution->jobs[i];

        /* Interrupting the session would hit the lease holder's cell. If our cell has started
         * meanwhile, closing our connection interrupts only that. */
        if (job->phase == JOB_WAITING || job->phase == JOB_UPLOADING ||
            job->phase == JOB_DOWNLOADING || (job->phase == JOB_RUNNING && job->held))
            job_finish(job, 128 + SIGINT);
        if (job->phase != JOB_RUNNING)
            continue;
        app_send_on(execution->app, "session.interrupt", job->session, INTERRUPT_DEADLINE_MS, NULL,
                    NULL);
    }
}

static void execute_on_signal(void *arg, int signum)
{
    struct execution *execution = arg;

    if (signum == SIGINT && execution->interrupts++ == 0 &&
        execute_any(execution, JOB_RUNNING, JOB_RUNNING))
        execute_interrupt(execution);
    else
        execute_end_all(execution, signum);
}

static void execute_on_broken(void *arg, int sys_errno)
{
    struct execution *execution = arg;

    execute_end_all(execution, SIGPIPE);
    if (sys_errno == EPIPE)
        return;
    app_say("cannot write the output: %s", strerror(sys_errno));
    execution->ended_by = -1;
}

/* ---- all of it ---- */

/* All results are known. The VMs close by themselves: nobody waits for that. */
static bool execute_is_over(const struct execution *execution)
{
    for (size_t i = 0; i < execution->config->count; i++) {
        enum job_phase phase = execution->jobs[i].phase;

        if (phase == JOB_OPENING && execution->interrupts > 1)
            continue; /* the user is impatient: that VM closes itself when idle */
        if (phase < JOB_CLOSING)
            return false;
    }
    return true;
}

/* Frees it. */
static int execute_finish(struct execution *execution)
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
        /* Exit like any filter whose reader has gone. */
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
            output_new(app->loop, STDOUT_FILENO + i, report_pace, execute_on_broken, execution);
    for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
        execution->signals[i] = gb_signal_new(app->loop, signals[i], execute_on_signal, execution);
    if (config->forward_stdin)
        execution->feed = feed_new(app, execute_on_feed_failed, execution);
    app->events.notified = execute_on_notified;
    app->arg = execution;
    if (config->tries)
        tries_fork(execution);
    execute_next(execution);
    while (!execute_is_over(execution))
        app_turn(app);
    app->events = (struct gb_client_events){0};
    if (config->json && execution->ended_by == 0)
        report_json(execution);
    /* When ended by a signal, do not wait for a reader, who may never read again. */
    while ((execution->ended_by == 0 && report_queued(execution) > 0) ||
           gb_client_queued(app->client) > 0)
        app_turn(app);
    return execute_finish(execution);
}

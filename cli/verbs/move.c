/* SPDX-License-Identifier: Apache-2.0 */
#include "verbs/move.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "cli/app.h"
#include "cli/fetch.h"
#include "kit/transfer.h"
#include "show/words.h"

enum { PROGRESS_MS = 100, PROGRESS_FROM_MS = 300 };

/* Transfers one file after the other, and the files of a folder too. */
struct moving {
    struct app *app;
    const char *session;
    bool upload, tty, failed, done, shown;
    const struct file_pair *files;
    size_t count, next;
    struct transfer *transfer;
    struct fetch *fetch;
    uint64_t started_ns, told_ns;
    int ended_by;
};

static void move_start_next(struct moving *moving);

static void move_clear_progress(struct moving *moving)
{
    if (moving->shown)
        (void)gb_fd_write_full(STDERR_FILENO, "\r\033[K", 4);
    moving->shown = false;
}

static void move_on_progress(void *arg, uint64_t done, uint64_t size)
{
    struct moving *moving = arg;
    uint64_t now = gb_clock_mono_ns();
    double seconds = (double)(now - moving->started_ns) / (double)GB_NS_PER_S;
    char so_far[32], all[32], rate[32];
    struct gb_buf line = {0};

    if (!moving->tty || seconds * 1000 < PROGRESS_FROM_MS ||
        now - moving->told_ns < PROGRESS_MS * GB_NS_PER_MS)
        return;
    moving->told_ns = now;
    moving->shown = true;
    words_size(so_far, sizeof(so_far), (double)done);
    words_size(all, sizeof(all), (double)size);
    words_size(rate, sizeof(rate), (double)done / seconds);
    gb_buf_addf(&line, "\r\033[K%s of %s, %.0f %%, %s/s", so_far, all,
                size > 0 ? 100.0 * (double)done / (double)size : 100.0, rate);
    (void)gb_fd_write_full(STDERR_FILENO, gb_buf_data(&line), line.size);
    gb_buf_release(&line);
}

static void move_on_finished(void *arg, const struct gb_err *err)
{
    struct moving *moving = arg;

    moving->transfer = NULL;
    moving->fetch = NULL;
    move_clear_progress(moving);
    if (err != NULL) {
        if (err->sys_errno != EPIPE) /* the reader closed the pipe */
            app_say_err(err);
        moving->failed = true;
        moving->done = true;
        return;
    }
    move_start_next(moving);
}

static void move_start_next(struct moving *moving)
{
    const struct file_pair *pair;
    struct gb_err err = {0};

    if (moving->next == moving->count) {
        moving->done = true;
        return;
    }
    pair = &moving->files[moving->next++];
    moving->started_ns = gb_clock_mono_ns();
    if (moving->upload) {
        const struct transfer_config config = {
            .session = moving->session,
            .local = pair->local,
            .remote = pair->remote,
            .progress = move_on_progress,
            .finished = move_on_finished,
            .arg = moving,
        };

        moving->transfer = transfer_upload(moving->app->client, &config, &err);
    } else {
        const struct fetch_config config = {
            .session = moving->session,
            .local = pair->local,
            .remote = pair->remote,
            .progress = move_on_progress,
            .finished = move_on_finished,
            .arg = moving,
        };

        moving->fetch = fetch_start(moving->app->client, &config);
    }
    if (moving->upload && moving->transfer == NULL) {
        app_say_err(&err);
        moving->failed = true;
        moving->done = true;
    }
}

static void move_on_signal(void *arg, int signum)
{
    struct moving *moving = arg;

    moving->ended_by = signum;
    moving->done = true;
}

int move_files(const struct args *args, const struct file_list *files, bool upload)
{
    struct app app;
    struct moving moving = {
        .app = &app, .upload = upload, .files = files->pairs, .count = files->count};
    struct gb_signal *interrupted, *terminated;
    char *session;
    int status = EXIT_GLASSBELL;

    app_open(&app, args);
    moving.tty = isatty(STDERR_FILENO) != 0 && !args_has(args, "quiet");
    session = app_find_session(&app, args->words[0]);
    if (session != NULL) {
        moving.session = session;
        interrupted = gb_signal_new(app.loop, SIGINT, move_on_signal, &moving);
        terminated = gb_signal_new(app.loop, SIGTERM, move_on_signal, &moving);
        move_start_next(&moving);
        while (!moving.done)
            app_turn(&app);
        transfer_cancel(moving.transfer);
        fetch_cancel(moving.fetch);
        move_clear_progress(&moving);
        gb_signal_free(interrupted);
        gb_signal_free(terminated);
        status = moving.ended_by != 0 ? 128 + moving.ended_by : moving.failed ? EXIT_GLASSBELL : 0;
    }
    app_close(&app);
    free(session);
    return status;
}

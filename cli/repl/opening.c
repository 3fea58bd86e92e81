/* SPDX-License-Identifier: Apache-2.0 */
/* Opening the REPL's own session. A person gets the prompt as soon as the language is known, and
 * can type while the VM starts: what they send waits for the session, and what is asked of the
 * guest goes out when it is there. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "cli/params.h"
#include "cli/preparing.h"
#include "model/answer.h"
#include "repl/console.h"
#include "repl/internal.h"
#include "rpc/object.h"

enum {
    SPINNER_AFTER_MS = 200,
    SPINNER_MS = 100,
    SIGNALS_FIRST_MS = 1,
    NOTE_MAX = PREPARING_MAX + 64,
};

/* ---- telling that it takes a while ---- */

/* Below what is being typed, else in a line of its own. */
static void opening_show(struct repl *repl, const char *note)
{
    struct gb_buf line = {0};

    if (console_note(repl->console, note)) {
        repl->opening.shown = false;
        return;
    }
    gb_buf_addf(&line, "\r%s\033[K", note);
    (void)gb_fd_write_full(STDERR_FILENO, gb_buf_data(&line), line.size);
    gb_buf_release(&line);
    repl->opening.shown = true;
}

static void opening_show_nothing(struct repl *repl)
{
    (void)console_note(repl->console, NULL);
    if (repl->opening.shown)
        (void)gb_fd_write_full(STDERR_FILENO, "\r\033[K", 4);
    repl->opening.shown = false;
}

static void opening_spin(struct repl *repl)
{
    static const char *const frames[] = {"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"};
    struct opening *opening = &repl->opening;
    const double seconds = (double)(gb_clock_mono_ns() - opening->since_ns) / (double)GB_NS_PER_S;
    const char *frame = frames[opening->step++ % ARRAY_SIZE(frames)];
    const char *preparing = repl->app->preparing.line;
    char note[NOTE_MAX];

    if (preparing[0] != '\0')
        (void)snprintf(note, sizeof(note), "%s %s, %.1f s", frame, preparing, seconds);
    else
        (void)snprintf(note, sizeof(note), "%s starting a %.40s VM, %.1f s", frame, repl->image,
                       seconds);
    opening_show(repl, note);
    gb_timer_start(opening->timer, SPINNER_MS);
}

/* After a stop the timer expires before the loop sees SIGCONT: that has to be handled first,
 * because the terminal is no longer as we left it. */
static void opening_spin_soon(void *arg)
{
    struct repl *repl = arg;

    repl->opening.due = !repl->opening.due;
    if (repl->opening.due)
        gb_timer_start(repl->opening.timer, SIGNALS_FIRST_MS);
    else
        opening_spin(repl);
}

/* ---- the call ---- */

static void opening_on_opened(void *arg, const struct gb_json *result,
                              const struct gb_call_error *error)
{
    struct repl *repl = arg;
    struct gb_opened_info opened;

    repl->opening.busy = false;
    gb_timer_free(TAKE_PTR(repl->opening.timer));
    preparing_aside(&repl->app->preparing, false);
    opening_show_nothing(repl);
    if (error != NULL) {
        console_step_aside(repl->console);
        app_say_error(error);
        repl->failed = repl->stopped = true;
        return;
    }
    gb_object_take(&gb_opened_object, result, &opened);
    repl->session = xstrndup((const char *)opened.session.data, opened.session.size);
    repl->owned = true;
    console_be_patient(repl->console, false);
    repl_send_asks(repl);
    if (repl->language != NULL)
        repl_follow_begin(repl);
}

bool repl_start_opening(struct repl *repl)
{
    struct gb_buf params = {0};
    struct gb_json_out out = {.buf = &params};

    gb_json_object(&out, NULL);
    gb_json_put_str(&out, "image", repl->image);
    gb_json_put_str(&out, "label", "repl");
    gb_json_put_u64(&out, "idle_ms", 0);
    if (!params_put_memory(repl->args, &out) || !params_put_env(repl->args, &out) ||
        !params_put_network(repl->args, &out) || !params_put_packages(repl->args, &out)) {
        gb_buf_release(&params);
        return false;
    }
    gb_json_end(&out);
    free(TAKE_PTR(repl->session));
    repl->opening = (struct opening){.busy = true, .since_ns = gb_clock_mono_ns()};
    console_be_patient(repl->console, true);
    if (isatty(STDERR_FILENO) != 0) {
        preparing_aside(&repl->app->preparing, true); /* we show it */
        repl->opening.timer = gb_timer_new(repl->app->loop, opening_spin_soon, repl);
        gb_timer_start(repl->opening.timer, SPINNER_AFTER_MS);
    }
    (void)gb_client_call(repl->app->client, "session.open", &params, params_open_ms(repl->args),
                         opening_on_opened, repl);
    gb_buf_release(&params);
    return true;
}

bool repl_wait_opened(struct repl *repl)
{
    const unsigned interrupts = repl->interrupts;

    while (repl->opening.busy && !repl->stopped && repl->interrupts == interrupts)
        app_turn(repl->app);
    if (repl->opening.busy)
        opening_show_nothing(repl);
    return repl->session != NULL;
}

void repl_end_opening(struct repl *repl)
{
    if (repl->opening.busy) /* an answer that has arrived is known from now on */
        (void)uv_run(repl->app->uv, UV_RUN_NOWAIT);
    if (!repl->opening.busy)
        return;
    opening_show_nothing(repl);
    gb_timer_free(TAKE_PTR(repl->opening.timer));
}

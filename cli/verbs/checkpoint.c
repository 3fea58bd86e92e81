/* SPDX-License-Identifier: Apache-2.0 */
/* glassbell checkpoint: keeps a session's present state. */
#include <stdio.h>

#include "base/mem.h"
#include "cli/app.h"
#include "cli/print.h"
#include "rpc/access.h"
#include "verbs/back.h"
#include "verbs/verbs.h"

enum { CHECKPOINT_WAIT_MS = 60000, CHECKPOINT_DEADLINE_MS = 180000 };

static void checkpoint_print(void *arg, const struct gb_json *result)
{
    const struct args *args = arg;

    if (args_has(args, "json"))
        print_json(result);
    else
        (void)printf("checkpoint %.0f, after cell %.0f\n", json_number(result, "seq"),
                     json_number(result, "cell"));
}

static bool checkpoint_call(struct app *app, const struct args *args)
{
    _cleanup_(freep) char *session = app_find_session(app, args->words[0]);
    struct gb_buf params = {0};
    struct gb_json_out out = {.buf = &params};
    bool good = session != NULL;

    gb_json_object(&out, NULL);
    gb_json_put_str(&out, "session", session);
    if (args_has(args, "name"))
        gb_json_put_str(&out, "name", args_value(args, "name"));
    gb_json_put_u64(&out, "wait_ms", CHECKPOINT_WAIT_MS);
    gb_json_end(&out);
    good = good && app_call(app, "session.checkpoint", &params, CHECKPOINT_DEADLINE_MS,
                            checkpoint_print, (void *)(uintptr_t)args);
    gb_buf_release(&params);
    return good;
}

static int checkpoint_run(const struct args *args)
{
    struct app app;
    bool good;

    if (args->word_count != 1)
        return app_wrong_use(args, "which session? `glassbell ls` shows them");
    app_open(&app, args);
    good = checkpoint_call(&app, args);
    app_close(&app);
    return good ? 0 : EXIT_GLASSBELL;
}

static const struct option checkpoint_options[] = {
    {.letter = 'n',
     .name = "name",
     .value = "NAME",
     .kind = ARG_TEXT,
     .help = "its name; named checkpoints are kept when there are too many"},
    OPTION_JSON_RESULT,
    {0},
};

const struct verb verb_checkpoint = {
    .name = "checkpoint",
    .summary = "save the present state of a session",
    .usage = "SESSION",
    .options = checkpoint_options,
    .common = app_options,
    .words = ARG_SESSION,
    .examples = "  glassbell checkpoint work --name clean\n",
    .run = checkpoint_run,
};

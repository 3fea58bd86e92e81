/* SPDX-License-Identifier: Apache-2.0 */
/* glassbell attach: the front end with one session. */
#include "base/mem.h"
#include "cli/app.h"
#include "verbs/front.h"
#include "verbs/options.h"
#include "verbs/verbs.h"

static int attach_run(const struct args *args)
{
    _cleanup_(freep) char *session = NULL;
    struct app app;

    if (args->word_count != 1)
        return app_wrong_use(args, "which session? `glassbell ls` shows them");
    app_open(&app, args);
    session = app_find_session(&app, args->words[0]);
    app_close(&app);
    return session != NULL ? front_run(args, session) : EXIT_GLASSBELL;
}

static const struct option attach_options[] = {
    OPTION_THEME,
    {0},
};

const struct verb verb_attach = {
    .name = "attach",
    .summary = "open the front end at a session",
    .usage = "SESSION [options]",
    .options = attach_options,
    .common = app_options,
    .words = ARG_SESSION,
    .examples = "  glassbell attach work\n",
    .run = attach_run,
};

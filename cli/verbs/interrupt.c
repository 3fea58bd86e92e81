/* SPDX-License-Identifier: Apache-2.0 */
/* glassbell interrupt: interrupts running cells. */
#include "cli/app.h"
#include "verbs/sessions.h"
#include "verbs/verbs.h"

static int interrupt_run(const struct args *args)
{
    if (args->word_count == 0)
        return app_wrong_use(args, "which session? `glassbell ls` shows them");
    return sessions_call(args, NULL, "session.interrupt");
}

const struct verb verb_interrupt = {
    .name = "interrupt",
    .summary = "interrupt the running cell of a session",
    .usage = "SESSION…",
    .common = app_options,
    .words = ARG_SESSION,
    .examples = "  glassbell interrupt work\n",
    .run = interrupt_run,
};

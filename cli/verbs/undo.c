/* SPDX-License-Identifier: Apache-2.0 */
/* glassbell undo: takes a session back in its past. */
#include "verbs/back.h"
#include "verbs/verbs.h"

static bool undo_put(const struct args *args, struct gb_json_out *out)
{
    return back_put_steps(args, out, 1);
}

static int undo_run(const struct args *args)
{
    if (args->word_count > 2)
        return app_wrong_use(args, "undo takes one session, and a number of steps");
    return back_run(args, undo_put);
}

static const struct option undo_options[] = {
    OPTION_INTERRUPT,
    OPTION_JSON_RESULT,
    {0},
};

const struct verb verb_undo = {
    .name = "undo",
    .summary = "take a session back by one or more checkpoints",
    .usage = "SESSION [STEPS]",
    .options = undo_options,
    .common = app_options,
    .words = ARG_SESSION,
    .examples = "  glassbell undo work\n",
    .run = undo_run,
};

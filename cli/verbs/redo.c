/* SPDX-License-Identifier: Apache-2.0 */
/* glassbell redo: moves a session forward in its past. */
#include "verbs/back.h"
#include "verbs/verbs.h"

static bool redo_put(const struct args *args, struct gb_json_out *out)
{
    return back_put_steps(args, out, -1);
}

static int redo_run(const struct args *args)
{
    if (args->word_count > 2)
        return app_wrong_use(args, "redo takes one session, and a number of steps");
    return back_run(args, redo_put);
}

static const struct option redo_options[] = {
    OPTION_INTERRUPT,
    OPTION_JSON_RESULT,
    {0},
};

const struct verb verb_redo = {
    .name = "redo",
    .summary = "redo what was undone",
    .usage = "SESSION [STEPS]",
    .options = redo_options,
    .common = app_options,
    .words = ARG_SESSION,
    .examples = "  glassbell redo work\n",
    .run = redo_run,
};

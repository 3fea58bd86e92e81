/* SPDX-License-Identifier: Apache-2.0 */
/* glassbell tui: the front end, which is also the default verb. */
#include "cli/app.h"
#include "verbs/front.h"
#include "verbs/options.h"
#include "verbs/verbs.h"

static int tui_verb(const struct args *args)
{
    if (args->word_count > 0)
        return app_wrong_use(args, "%s takes no names; `glassbell attach` does", args->verb->name);
    return args_has(args, "manual") ? front_print_manual() : front_run(args, NULL);
}

static const struct option tui_options[] = {
    OPTION_THEME,
    /* prints glassbell-keys(7), for the build */
    {.name = "manual", .kind = ARG_NONE, .hidden = true, .help = ""},
    {0},
};

const struct verb verb_tui = {
    .name = "tui",
    .summary = "open the front end (also: glassbell without a verb)",
    .usage = "[options]",
    .options = tui_options,
    .common = app_options,
    .words = ARG_NONE,
    .examples = "  glassbell\n"
                "  glassbell tui --theme light\n"
                "  glassbell --host local --host build --host ssh://ann@gpu.example\n",
    .run = tui_verb,
};

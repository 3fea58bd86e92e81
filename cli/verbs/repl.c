/* SPDX-License-Identifier: Apache-2.0 */
/* glassbell repl. */
#include "repl/repl.h"

#include "cli/app.h"
#include "verbs/options.h"
#include "verbs/verbs.h"

static const struct option repl_options[] = {
    OPTION_LANG_OF_SESSION,
    OPTION_IMAGE,
    OPTION_MEMORY,
    OPTION_NET,
    OPTION_SECRET,
    OPTION_PACKAGES,
    OPTION_ENV,
    {.letter = 't',
     .name = "time",
     .value = "SECONDS",
     .kind = ARG_TEXT,
     .help = "time limit of each cell (default: 24 hours)"},
    {.name = "raw",
     .kind = ARG_NONE,
     .help = "pass escape sequences of the program on to the terminal"},
    {.name = "no-others",
     .kind = ARG_NONE,
     .help = "do not show what other clients run in the session"},
    {0},
};

const struct verb verb_repl = {
    .name = "repl",
    .summary = "run code interactively",
    .usage = "[options] [SESSION]",
    .options = repl_options,
    .common = app_options,
    .words = ARG_SESSION,
    .examples = "  glassbell repl\n"
                "  glassbell repl -l javascript -m 512\n"
                "  glassbell repl my-session\n",
    .run = repl_run,
};

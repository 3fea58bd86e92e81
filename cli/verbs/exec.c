/* SPDX-License-Identifier: Apache-2.0 */
/* glassbell exec: runs code in a session. */
#include "base/limits.h"
#include "cli/app.h"
#include "execute/program.h"
#include "tty/tty.h"
#include "verbs/options.h"
#include "verbs/verbs.h"

static int exec_run(const struct args *args)
{
    struct execute_config config = {.lease_wait_ms = GB_LEASE_WAIT_MS};
    const char *wait = args_value(args, "lease-wait");
    double seconds;

    if (args->word_count == 0)
        return app_wrong_use(args, "which session? `glassbell ls` shows them");
    if (args_has(args, "terminal"))
        return tty_main(args, 0, false);
    if (wait != NULL && !args_number(wait, 0, PROGRAM_TIME_MAX_S, &seconds))
        return app_wrong_use(args, "--lease-wait wants seconds up to %d, not %s",
                             PROGRAM_TIME_MAX_S, wait);
    if (wait != NULL)
        config.lease_wait_ms = (uint64_t)(seconds * 1000);
    return program_run(args, &config, 1, args->words[0]);
}

static const struct option exec_options[] = {
    {.name = "terminal",
     .word = "-it",
     .kind = ARG_NONE,
     .command = true,
     .help = "with -it: a program of the session at this terminal, with its arguments"},
    OPTION_CODE,
    OPTION_FILE,
    OPTION_LANG,
    OPTION_TIME,
    OPTION_ENV,
    OPTION_STDIN,
    OPTION_UPLOAD,
    OPTION_DOWNLOAD,
    OPTION_OUTPUT,
    OPTION_JSON,
    OPTION_TRY,
    OPTION_KEEP,
    {.name = "lease-wait",
     .value = "SECONDS",
     .kind = ARG_TEXT,
     .help =
         "how long to wait while another client holds the session (default 600; 0: not at all)"},
    {0},
};

const struct verb verb_exec = {
    .name = "exec",
    .summary = "run code in a session",
    .usage = "SESSION [options] (FILE | - | -c CODE) [ARGS…]",
    .options = exec_options,
    .common = app_options,
    .words = ARG_PROGRAM_IN_SESSION,
    .examples = "  glassbell exec work -c 'x = 41'\n"
                "  glassbell exec work -c 'print(x + 1)'\n"
                "  glassbell exec work load.py data.csv\n"
                "  glassbell exec --try 3 work -c 'import os; print(os.environ[\"TRY\"])'\n"
                "  glassbell exec -it work python3 -m pdb load.py\n",
    .run = exec_run,
};

/* SPDX-License-Identifier: Apache-2.0 */
/* glassbell run: runs code in VMs that are destroyed afterwards. */
#include "cli/app.h"
#include "execute/program.h"
#include "verbs/options.h"
#include "verbs/verbs.h"

static int run_run(const struct args *args)
{
    struct execute_config config = {0};

    config.image = args_value(args, "image");
    return program_run(args, &config, 0, NULL);
}

static const struct option run_options[] = {
    OPTION_CODE,     OPTION_FILE,   OPTION_LANG,     OPTION_IMAGE, OPTION_TIME,  OPTION_MEMORY,
    OPTION_NET,      OPTION_SECRET, OPTION_PACKAGES, OPTION_ENV,   OPTION_STDIN, OPTION_UPLOAD,
    OPTION_DOWNLOAD, OPTION_OUTPUT, OPTION_JSON,     OPTION_TRY,   OPTION_KEEP,  {0},
};

const struct verb verb_run = {
    .name = "run",
    .summary = "run code in a fresh VM and destroy it",
    .usage = "[options] (FILE | - | -c CODE) [ARGS…]",
    .options = run_options,
    .common = app_options,
    .words = ARG_PROGRAM,
    .examples = "  glassbell run -c 'print(6 * 7)'\n"
                "  glassbell run -t 2.5 report.py 2026 --verbose\n"
                "  glassbell run -f a.py -f b.js -f c.sh\n"
                "  echo 'ls -l' | glassbell run -l shell -\n"
                "  glassbell run --upload data.csv --download plot.png plot.py\n",
    .run = run_run,
};

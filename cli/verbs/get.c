/* SPDX-License-Identifier: Apache-2.0 */
/* glassbell get: downloads files from a session. */
#include <string.h>

#include "base/mem.h"
#include "cli/app.h"
#include "kit/local.h"
#include "kit/transfer.h"
#include "verbs/move.h"
#include "verbs/options.h"
#include "verbs/verbs.h"

static int get_run(const struct args *args)
{
    _cleanup_(freep) char *local = NULL;
    struct file_pair pair;
    struct file_list files = {.pairs = &pair, .count = 1};

    if (args->word_count < 2 || args->word_count > 3)
        return app_wrong_use(
            args, "get takes a session, a file or folder in it, and optionally a local name");
    if (args->word_count == 3 && strcmp(args->words[2], "-") == 0)
        local = xstrdup(LOCAL_STDOUT);
    else
        local = args->word_count == 3 ? file_into_folder(args->words[2], args->words[1])
                                      : transfer_local_name(args->words[1]);
    if (local == NULL)
        return app_wrong_use(args, "no local file name can be derived from %s; give one",
                             args->words[1]);
    pair = (struct file_pair){local, args->words[1]};
    return move_files(args, &files, false);
}

static const struct option get_options[] = {
    OPTION_QUIET,
    {0},
};

const struct verb verb_get = {
    .name = "get",
    .summary = "copy a file or folder from a session",
    .usage = "SESSION REMOTE [LOCAL]",
    .options = get_options,
    .common = app_options,
    .words = ARG_SESSION,
    .examples = "  glassbell get work plot.png\n"
                "  glassbell get work logs/today.txt /tmp/today.txt\n"
                "  glassbell get work results\n"
                "  glassbell get work data.csv - | column -t -s,\n",
    .run = get_run,
};

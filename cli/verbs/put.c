/* SPDX-License-Identifier: Apache-2.0 */
/* glassbell put: uploads files to a session. */
#include <string.h>

#include "cli/app.h"
#include "kit/local.h"
#include "verbs/move.h"
#include "verbs/options.h"
#include "verbs/verbs.h"

static int put_run(const struct args *args)
{
    struct file_list files = {0};
    struct gb_err err = {0};
    bool standard = args->word_count >= 2 && strcmp(args->words[1], "-") == 0;
    int status;

    if (args->word_count < 2 || args->word_count > 3)
        return app_wrong_use(args,
                             "put takes a session, a local file, and optionally a name inside");
    if (standard && args->word_count == 2)
        return app_wrong_use(args, "standard input has no name for the file in the session; "
                                   "give one");
    if (!file_list_add(&files, standard ? LOCAL_STDIN : args->words[1],
                       args->word_count == 3 ? args->words[2] : NULL, &err)) {
        app_say_err(&err);
        return EXIT_GLASSBELL;
    }
    status = move_files(args, &files, true);
    file_list_release(&files);
    return status;
}

static const struct option put_options[] = {
    OPTION_QUIET,
    {0},
};

const struct verb verb_put = {
    .name = "put",
    .summary = "copy a file or folder into a session",
    .usage = "SESSION LOCAL [REMOTE]",
    .options = put_options,
    .common = app_options,
    .words = ARG_FILE,
    .examples = "  glassbell put work data.csv\n"
                "  glassbell put work src lib/src\n"
                "  make-data | glassbell put work - data.csv\n",
    .run = put_run,
};

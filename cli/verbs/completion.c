/* SPDX-License-Identifier: Apache-2.0 */
/* glassbell completion: what a shell completes by. */
#include <string.h>

#include "cli/app.h"
#include "cli/help.h"
#include "cli/print.h"
#include "verbs/verbs.h"

static int completion_run(const struct args *args)
{
    struct gb_buf text = {0};

    if (args->word_count != 1 || strcmp(args->words[0], "bash") != 0)
        return app_wrong_use(args, "there is completion for one shell: bash");
    help_completion(&text, args->verbs);
    return print_text(&text);
}

const struct verb verb_completion = {
    .name = "completion",
    .summary = "print completion for the shell",
    .usage = "bash",
    .words = ARG_NONE,
    .examples = "  source <(glassbell completion bash)\n",
    .run = completion_run,
};

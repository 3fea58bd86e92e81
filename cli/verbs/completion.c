/* SPDX-License-Identifier: Apache-2.0 */
/* glassbell completion: prints a shell's completion script. */
#include "cli/app.h"
#include "cli/print.h"
#include "cli/shell.h"
#include "verbs/verbs.h"

static int completion_run(const struct args *args)
{
    struct gb_buf text = {0};

    if (args->word_count != 1 || !shell_completion(&text, args->words[0], args->verbs))
        return app_wrong_use(args, "there is completion for bash, zsh and fish");
    return print_text(&text);
}

const struct verb verb_completion = {
    .name = "completion",
    .summary = "print a completion script for a shell",
    .usage = "bash|zsh|fish",
    .words = ARG_SHELL,
    .examples = "  source <(glassbell completion bash)\n"
                "  glassbell completion fish | source\n",
    .run = completion_run,
};

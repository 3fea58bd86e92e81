/* SPDX-License-Identifier: Apache-2.0 */
/* glassbell help: lists the verbs, or describes one. */
#include "cli/app.h"
#include "cli/help.h"
#include "cli/print.h"
#include "verbs/verbs.h"

static int help_run(const struct args *args)
{
    const struct verb *verb;
    struct gb_buf text = {0};

    if (args->word_count == 0) {
        help_program(&text, args->verbs);
        return print_text(&text);
    }
    verb = args_find_verb(args->verbs, args->words[0]);
    if (verb == NULL)
        return verbs_unknown(args->words[0]);
    verbs_help(&text, verb);
    return print_text(&text);
}

const struct verb verb_help = {
    .name = "help",
    .summary = "show help for the verbs",
    .usage = "[VERB]",
    .words = ARG_VERB,
    .examples = "  glassbell help run\n",
    .run = help_run,
};

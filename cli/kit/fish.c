/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/shell_make.h"

/* The options of `complete` for a word or a value. */
static const char *const fish_completers[ARG_KIND_COUNT] = {
    [ARG_TEXT] = "",
    [ARG_FILE] = " -F",
    [ARG_LANGUAGE] = " -a '(" ASK_LANGUAGES ")'",
    [ARG_SESSION] = " -a '(" ASK_SESSIONS ")'",
    [ARG_IMAGE] = " -a '(" ASK_IMAGES ")'",
    [ARG_VERB] = " -a '(__glassbell_verbs)'",
    [ARG_SHELL] = " -a '" SHELLS "'",
    [ARG_PROGRAM] = " -F",
    [ARG_PROGRAM_IN_SESSION] = " -F",
    [ARG_COMMAND_IN_SESSION] = " -a '(" ASK_SESSIONS ")'",
    [ARG_NONE] = "",
};

static void fish_add_quoted(struct gb_buf *out, const char *text)
{
    gb_buf_adds(out, "'");
    shell_add_quoted(out, text, "\\", "\\'");
    gb_buf_adds(out, "'");
}

static void fish_add_option(struct gb_buf *out, const struct verb *verb,
                            const struct option *option)
{
    gb_buf_addf(out, "complete -c glassbell -n '__glassbell_is %s'", verb->name);
    if (option->letter != 0)
        gb_buf_addf(out, " -s %c", option->letter);
    gb_buf_addf(out, " -l %s", option->name);
    if (option->value != NULL)
        gb_buf_addf(out, " -r%s", fish_completers[option->kind]);
    gb_buf_adds(out, " -d ");
    fish_add_quoted(out, option->help);
    gb_buf_adds(out, "\n");
}

static void fish_add_verb(struct gb_buf *out, const struct verb *verb)
{
    const char *completer = fish_completers[verb->words];
    const char *more = "";

    gb_buf_addf(out, "complete -c glassbell -n __glassbell_is_first -a %s -d ", verb->name);
    fish_add_quoted(out, verb->summary);
    gb_buf_addf(out, "\ncomplete -c glassbell -n '__glassbell_is %s' -l help -d 'tell about %s'\n",
                verb->name, verb->name);
    shell_each_option(out, verb, fish_add_option);
    if (verb->words == ARG_PROGRAM_IN_SESSION) {
        gb_buf_addf(out,
                    "complete -c glassbell -n '__glassbell_is %s; and __glassbell_is_word 2'%s\n",
                    verb->name, fish_completers[ARG_SESSION]);
        more = "; and not __glassbell_is_word 2";
    }
    if (completer[0] != '\0')
        gb_buf_addf(out, "complete -c glassbell -n '__glassbell_is %s%s'%s\n", verb->name, more,
                    completer);
}

void shell_make_fish(struct gb_buf *out, const struct verb *const *verbs)
{
    gb_buf_adds(out, "# fish completion for glassbell; made by `glassbell completion fish`\n"
                     "function __glassbell_is_word\n"
                     "    test (count (commandline -opc)) -eq $argv[1]\n"
                     "end\n"
                     "function __glassbell_is_first\n"
                     "    __glassbell_is_word 1\n"
                     "end\n"
                     "function __glassbell_is\n"
                     "    set -l words (commandline -opc)\n"
                     "    test (count $words) -gt 1; and test $words[2] = $argv[1]\n"
                     "end\n"
                     "function __glassbell_verbs\n"
                     "    printf '%s\\n'");
    for (size_t i = 0; verbs[i] != NULL; i++)
        gb_buf_addf(out, " %s", verbs[i]->name);
    gb_buf_adds(out, "\n"
                     "end\n"
                     "complete -c glassbell -f\n"
                     "complete -c glassbell -n __glassbell_is_first -l help -d 'tell about the "
                     "verbs'\n"
                     "complete -c glassbell -n __glassbell_is_first -l version -d 'print the "
                     "version'\n");
    for (size_t i = 0; verbs[i] != NULL; i++)
        fish_add_verb(out, verbs[i]);
}

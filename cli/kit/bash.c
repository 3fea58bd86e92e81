/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/shell_make.h"

#define BASH_WORDS(words) "mapfile -t COMPREPLY < <(compgen -W \"" words "\" -- \"$word\")"
#define BASH_FILES "compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- \"$word\")"

/* The command that fills COMPREPLY. */
static const char *const bash_completers[ARG_KIND_COUNT] = {
    [ARG_TEXT] = "",
    [ARG_FILE] = BASH_FILES,
    [ARG_LANGUAGE] = BASH_WORDS("$(" ASK_LANGUAGES ")"),
    [ARG_SESSION] = BASH_WORDS("$(" ASK_SESSIONS ")"),
    [ARG_IMAGE] = BASH_WORDS("$(" ASK_IMAGES ")"),
    [ARG_VERB] = BASH_WORDS("$verbs"),
    [ARG_SHELL] = BASH_WORDS(SHELLS),
    [ARG_PROGRAM] = BASH_FILES,
    [ARG_PROGRAM_IN_SESSION] = "if ((COMP_CWORD == 2)); then " BASH_WORDS(
        "$(" ASK_SESSIONS ")") "; else " BASH_FILES "; fi",
    [ARG_COMMAND_IN_SESSION] = BASH_WORDS("$(" ASK_SESSIONS ")"),
    [ARG_NONE] = "",
};

static void bash_add_name(struct gb_buf *out, const struct verb *verb, const struct option *option)
{
    (void)verb;
    gb_buf_addf(out, " --%s", option->name);
}

static void bash_add_value(struct gb_buf *out, const struct verb *verb, const struct option *option)
{
    const char *completer = bash_completers[option->kind];

    (void)verb;
    if (option->value == NULL)
        return;
    gb_buf_addf(out, "            --%s", option->name);
    if (option->letter != 0)
        gb_buf_addf(out, "|-%c", option->letter);
    gb_buf_addf(out, ") %s%sreturn ;;\n", completer, completer[0] != '\0' ? "; " : "");
}

static void bash_add_verb(struct gb_buf *out, const struct verb *verb)
{
    gb_buf_addf(out, "    %s)\n        case $before in\n", verb->name);
    shell_each_option(out, verb, bash_add_value);
    gb_buf_adds(out, "        esac\n"
                     "        if [[ $word == -* ]]; then\n"
                     "            mapfile -t COMPREPLY < <(compgen -W '--help");
    shell_each_option(out, verb, bash_add_name);
    gb_buf_adds(out, "' -- \"$word\")\n"
                     "            return\n"
                     "        fi\n");
    if (bash_completers[verb->words][0] != '\0')
        gb_buf_addf(out, "        %s\n", bash_completers[verb->words]);
    gb_buf_adds(out, "        ;;\n");
}

void shell_make_bash(struct gb_buf *out, const struct verb *const *verbs)
{
    gb_buf_adds(out,
                "# bash completion for glassbell; made by `glassbell completion bash`\n"
                "_glassbell()\n"
                "{\n"
                "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}\n"
                "    local verbs='");
    for (size_t i = 0; verbs[i] != NULL; i++)
        gb_buf_addf(out, "%s%s", i == 0 ? "" : " ", verbs[i]->name);
    gb_buf_adds(out, "'\n"
                     "    COMPREPLY=()\n"
                     "    if ((COMP_CWORD == 1)); then\n"
                     "        mapfile -t COMPREPLY < <(compgen -W \"$verbs --help --version\" -- "
                     "\"$word\")\n"
                     "        return\n"
                     "    fi\n"
                     "    case ${COMP_WORDS[1]} in\n");
    for (size_t i = 0; verbs[i] != NULL; i++)
        bash_add_verb(out, verbs[i]);
    gb_buf_adds(out, "    esac\n"
                     "}\n"
                     "complete -F _glassbell glassbell\n");
}

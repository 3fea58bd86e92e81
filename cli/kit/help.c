/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/help.h"

#include <string.h>

#include "base/mem.h"

enum { VERB_COLUMN = 12, OPTION_COLUMN = 26 };

void help_program(struct gb_buf *out, const struct verb *const *verbs)
{
    gb_buf_adds(out, "Glassbell runs code that nobody has vetted in small virtual machines.\n\n"
                     "usage: glassbell VERB [options] …\n"
                     "       glassbell [options]         (the front end, as tui)\n\n");
    for (size_t i = 0; verbs[i] != NULL; i++)
        gb_buf_addf(out, "  %-*s%s\n", VERB_COLUMN, verbs[i]->name, verbs[i]->summary);
    gb_buf_adds(
        out, "\n"
             "`glassbell VERB --help` tells about one. All verbs but serve, doctor and image talk\n"
             "to a server, which the first of them starts.\n\n"
             "examples:\n"
             "  glassbell run -c 'print(6 * 7)'\n"
             "  glassbell repl -l javascript\n");
}

static void help_add_option(struct gb_buf *out, const struct option *option)
{
    struct gb_buf left = {0};

    if (option->hidden)
        return;
    if (option->letter != 0)
        gb_buf_addf(&left, "  -%c, --%s", option->letter, option->name);
    else
        gb_buf_addf(&left, "      --%s", option->name);
    if (option->value != NULL)
        gb_buf_addf(&left, " %s", option->value);
    gb_buf_addf(out, "%-*s", OPTION_COLUMN, gb_buf_str(&left));
    if (left.size >= OPTION_COLUMN)
        gb_buf_addf(out, "\n%*s", OPTION_COLUMN, "");
    gb_buf_addf(out, "%s\n", option->help);
    gb_buf_release(&left);
}

void help_verb(struct gb_buf *out, const struct verb *verb)
{
    gb_buf_addf(out, "glassbell %s: %s\n\nusage: glassbell %s%s%s\n", verb->name, verb->summary,
                verb->name, verb->usage[0] != '\0' ? " " : "", verb->usage);
    if (verb->options != NULL || verb->common != NULL)
        gb_buf_adds(out, "\n");
    for (const struct option *option = verb->options; option != NULL && option->name != NULL;
         option++)
        help_add_option(out, option);
    for (const struct option *option = verb->common; option != NULL && option->name != NULL;
         option++)
        help_add_option(out, option);
    if (verb->examples != NULL)
        gb_buf_addf(out, "\nexamples:\n%s", verb->examples);
}

static void help_add_option_words(struct gb_buf *out, const struct option *options)
{
    for (; options != NULL && options->name != NULL; options++)
        if (!options->hidden)
            gb_buf_addf(out, " --%s", options->name);
}

#define COMPLETE_FROM(command)                                                                     \
    "mapfile -t COMPREPLY < <(compgen -W \"$(" command " 2>/dev/null)\" -- \"$word\")"

/* The shell command that fills COMPREPLY for a value of this kind. */
static const char *help_completer(enum arg_kind kind)
{
    static const char *const text[ARG_KIND_COUNT] = {
        [ARG_TEXT] = "",
        [ARG_FILE] = "compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- \"$word\")",
        [ARG_LANGUAGE] = COMPLETE_FROM("glassbell image ls --languages"),
        [ARG_SESSION] = COMPLETE_FROM("glassbell ls --ids"),
        [ARG_IMAGE] = COMPLETE_FROM("glassbell image ls --names"),
        [ARG_PROGRAM] = "compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- \"$word\")",
        [ARG_PROGRAM_IN_SESSION] = "if ((COMP_CWORD == 2)); then " COMPLETE_FROM(
            "glassbell ls --ids") "; else compopt -o filenames; mapfile -t COMPREPLY < <(compgen "
                                  "-f "
                                  "-- \"$word\"); fi",
        [ARG_VERB] = "mapfile -t COMPREPLY < <(compgen -W \"$verbs\" -- \"$word\")",
        [ARG_NONE] = "",
    };

    return text[kind];
}

static void help_add_value_cases(struct gb_buf *out, const struct option *options)
{
    for (; options != NULL && options->name != NULL; options++) {
        if (options->hidden || options->value == NULL)
            continue;
        gb_buf_addf(out, "            --%s", options->name);
        if (options->letter != 0)
            gb_buf_addf(out, "|-%c", options->letter);
        if (help_completer(options->kind)[0] != '\0')
            gb_buf_addf(out, ") %s; return ;;\n", help_completer(options->kind));
        else
            gb_buf_adds(out, ") return ;;\n");
    }
}

void help_completion(struct gb_buf *out, const struct verb *const *verbs)
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
    for (size_t i = 0; verbs[i] != NULL; i++) {
        const struct verb *verb = verbs[i];

        gb_buf_addf(out, "    %s)\n        case $before in\n", verb->name);
        help_add_value_cases(out, verb->options);
        help_add_value_cases(out, verb->common);
        gb_buf_adds(out, "        esac\n"
                         "        if [[ $word == -* ]]; then\n"
                         "            mapfile -t COMPREPLY < <(compgen -W '");
        gb_buf_adds(out, "--help");
        help_add_option_words(out, verb->options);
        help_add_option_words(out, verb->common);
        gb_buf_adds(out, "' -- \"$word\")\n"
                         "            return\n"
                         "        fi\n");
        if (help_completer(verb->words)[0] != '\0')
            gb_buf_addf(out, "        %s\n", help_completer(verb->words));
        gb_buf_adds(out, "        ;;\n");
    }
    gb_buf_adds(out, "    esac\n"
                     "}\n"
                     "complete -F _glassbell glassbell\n");
}

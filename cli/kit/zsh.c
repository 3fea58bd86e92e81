/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/shell_make.h"

/* The _arguments action for a word or a value. */
static const char *const zsh_actions[ARG_KIND_COUNT] = {
    [ARG_TEXT] = " ",
    [ARG_FILE] = "_files",
    [ARG_LANGUAGE] = "_glassbell_languages",
    [ARG_SESSION] = "_glassbell_sessions",
    [ARG_IMAGE] = "_glassbell_images",
    [ARG_VERB] = "_glassbell_verbs",
    [ARG_SHELL] = ("(" SHELLS ")"),
    [ARG_PROGRAM] = "_files",
    [ARG_PROGRAM_IN_SESSION] = "_files",
    [ARG_COMMAND_IN_SESSION] = " ",
    [ARG_NONE] = " ",
};

static void zsh_add_quoted(struct gb_buf *out, const char *text)
{
    shell_add_quoted(out, text, "\\[]:", "'\\''");
}

static void zsh_add_option(struct gb_buf *out, const struct verb *verb, const struct option *option)
{
    bool takes_value = option->value != NULL;

    (void)verb;
    gb_buf_adds(out, " \\\n            '*");
    if (option->letter != 0)
        gb_buf_addf(out, "'{-%c%s,--%s%s}'[", option->letter, takes_value ? "+" : "", option->name,
                    takes_value ? "=" : "");
    else
        gb_buf_addf(out, "--%s%s[", option->name, takes_value ? "=" : "");
    zsh_add_quoted(out, option->help);
    gb_buf_adds(out, "]");
    if (takes_value) {
        gb_buf_adds(out, ":");
        zsh_add_quoted(out, option->value);
        gb_buf_addf(out, ":%s", zsh_actions[option->kind]);
    }
    gb_buf_adds(out, "'");
}

static void zsh_add_verb(struct gb_buf *out, const struct verb *verb)
{
    const char *action = zsh_actions[verb->words];

    gb_buf_addf(out,
                "    %s)\n"
                "        _arguments -s -S : \\\n"
                "            '--help[tell about %s]'",
                verb->name, verb->name);
    shell_each_option(out, verb, zsh_add_option);
    if (verb->words == ARG_PROGRAM_IN_SESSION || verb->words == ARG_COMMAND_IN_SESSION)
        gb_buf_addf(out, " \\\n            '1:session:%s'", zsh_actions[ARG_SESSION]);
    if (action[0] != ' ')
        gb_buf_addf(out, " \\\n            '*:word:%s'", action);
    gb_buf_adds(out, "\n        ;;\n");
}

static void zsh_add_asking(struct gb_buf *out, const char *what, const char *command)
{
    gb_buf_addf(out,
                "_glassbell_%s()\n"
                "{\n"
                "    local -a found=(${(f)\"$(%s)\"})\n"
                "    compadd -a found\n"
                "}\n",
                what, command);
}

void shell_make_zsh(struct gb_buf *out, const struct verb *const *verbs)
{
    gb_buf_adds(out, "#compdef glassbell\n"
                     "# zsh completion for glassbell; made by `glassbell completion zsh`\n");
    zsh_add_asking(out, "languages", ASK_LANGUAGES);
    zsh_add_asking(out, "sessions", ASK_SESSIONS);
    zsh_add_asking(out, "images", ASK_IMAGES);
    gb_buf_adds(out, "_glassbell_verbs()\n"
                     "{\n"
                     "    local -a verbs=(\n");
    for (size_t i = 0; verbs[i] != NULL; i++) {
        gb_buf_addf(out, "        '%s:", verbs[i]->name);
        shell_add_quoted(out, verbs[i]->summary, "\\:", "'\\''");
        gb_buf_adds(out, "'\n");
    }
    gb_buf_adds(out, "    )\n"
                     "    _describe verb verbs\n"
                     "}\n"
                     "_glassbell()\n"
                     "{\n"
                     "    if ((CURRENT == 2)); then\n"
                     "        if [[ ${words[2]} == -* ]]; then\n"
                     "            compadd -- --help --version\n"
                     "        else\n"
                     "            _glassbell_verbs\n"
                     "        fi\n"
                     "        return\n"
                     "    fi\n"
                     "    shift words\n"
                     "    ((CURRENT--))\n"
                     "    case ${words[1]} in\n");
    for (size_t i = 0; verbs[i] != NULL; i++)
        zsh_add_verb(out, verbs[i]);
    /* The file is the function's body when autoloaded by name, and defines the function when
     * sourced. */
    gb_buf_adds(out, "    esac\n"
                     "}\n"
                     "if [[ ${funcstack[1]} == _glassbell ]]; then\n"
                     "    _glassbell \"$@\"\n"
                     "else\n"
                     "    compdef _glassbell glassbell\n"
                     "fi\n");
}

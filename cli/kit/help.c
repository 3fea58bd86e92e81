/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/help.h"

enum { VERB_COLUMN = 12, OPTION_COLUMN = 26 };

void help_program(struct gb_buf *out, const struct verb *const *verbs)
{
    gb_buf_adds(out, "Glassbell runs untrusted code in small virtual machines.\n\n"
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

void help_verb(struct gb_buf *out, const struct verb *verb, const struct gb_languages *languages)
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
    if (languages != NULL && languages->count > 0) {
        gb_buf_adds(out, "\nlanguages: ");
        gb_languages_add_names(languages, out);
        gb_buf_adds(out, "\n");
    }
    if (verb->examples != NULL)
        gb_buf_addf(out, "\nexamples:\n%s", verb->examples);
}

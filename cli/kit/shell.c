/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/shell.h"

#include <string.h>

#include "cli/shell_make.h"

void shell_each_option(struct gb_buf *out, const struct verb *verb,
                       void (*add)(struct gb_buf *out, const struct verb *verb,
                                   const struct option *option))
{
    const struct option *const tables[] = {verb->options, verb->common};

    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
        for (const struct option *option = tables[i]; option != NULL && option->name != NULL;
             option++)
            if (!option->hidden)
                add(out, verb, option);
}

void shell_add_quoted(struct gb_buf *out, const char *text, const char *special, const char *quote)
{
    for (; *text != '\0'; text++) {
        if (*text == '\'') {
            gb_buf_adds(out, quote);
            continue;
        }
        if (strchr(special, *text) != NULL)
            gb_buf_adds(out, "\\");
        gb_buf_add_u8(out, (uint8_t)*text);
    }
}

static const struct shell {
    const char *name;
    void (*make)(struct gb_buf *out, const struct verb *const *verbs);
} shells[] = {
    {"bash", shell_make_bash},
    {"zsh", shell_make_zsh},
    {"fish", shell_make_fish},
};

bool shell_completion(struct gb_buf *out, const char *name, const struct verb *const *verbs)
{
    for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++)
        if (strcmp(shells[i].name, name) == 0) {
            shells[i].make(out, verbs);
            return true;
        }
    return false;
}

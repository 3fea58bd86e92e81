/* SPDX-License-Identifier: Apache-2.0 */
#include "highlight.h"

#include <assert.h>

#include "private.h"

static const struct {
    const char *name;
    void (*lex)(struct lexer *lexer);
} languages[] = {
    [HIGHLIGHT_PYTHON] = {"python", lex_python},
    [HIGHLIGHT_JAVASCRIPT] = {"javascript", lex_javascript},
    [HIGHLIGHT_SHELL] = {"shell", lex_shell},
};
static_assert(ARRAY_SIZE(languages) == HIGHLIGHT_LANGUAGE_COUNT, "a row for each language");

enum highlight_language highlight_language(const char *name)
{
    size_t i = 0;

    while (i < ARRAY_SIZE(languages) && strcmp(languages[i].name, name) != 0)
        i++;
    return (enum highlight_language)i;
}

void highlight_line(enum highlight_language language, struct highlight_state *state,
                    struct gb_bytes line, highlight_token *token, void *arg)
{
    struct lexer lexer = {line.data, line.size, 0, state, token, arg};

    if (language < HIGHLIGHT_LANGUAGE_COUNT)
        languages[language].lex(&lexer);
}

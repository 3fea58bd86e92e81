/* SPDX-License-Identifier: Apache-2.0 */
#include "highlight.h"

#include "private.h"

static const struct {
    const char *name; /* as named in records */
    void (*lex)(struct lexer *lexer);
} lexers[] = {
    {"words", lex_words},
    {"python", lex_python},
    {"javascript", lex_javascript},
    {"shell", lex_shell},
};

void highlight_line(const struct gb_language *language, struct highlight_state *state,
                    struct gb_bytes line, highlight_token *token, void *arg)
{
    struct lexer lexer = {line.data, line.size, 0, language, state, token, arg};
    size_t i = 0;

    if (language == NULL || language->highlight.lexer[0] == '\0')
        return;
    for (size_t k = 1; k < ARRAY_SIZE(lexers); k++)
        if (strcmp(lexers[k].name, language->highlight.lexer) == 0)
            i = k;
    lexers[i].lex(&lexer);
}

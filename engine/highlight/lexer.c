/* SPDX-License-Identifier: Apache-2.0 */
/* Shared building blocks of all lexers. */
#include "private.h"

void lexer_token(struct lexer *lexer, size_t from, enum highlight_role role)
{
    if (lexer->at > from && lexer->token != NULL)
        lexer->token(lexer->arg, from, lexer->at, role);
}

struct gb_bytes lexer_name(struct lexer *lexer)
{
    size_t from = lexer->at;

    while (is_name(peek(lexer, 0)))
        lexer->at++;
    return (struct gb_bytes){lexer->text + from, lexer->at - from};
}

void lexer_number(struct lexer *lexer)
{
    size_t from = lexer->at;

    while (is_name(peek(lexer, 0)) || peek(lexer, 0) == '.' ||
           ((peek(lexer, 0) == '+' || peek(lexer, 0) == '-') && lexer->at > from &&
            (lexer->text[lexer->at - 1] | 0x20) == 'e' && is_digit(peek(lexer, 1)) &&
            (lexer->text[from] != '0' || (lexer->text[from + 1] | 0x20) != 'x')))
        lexer->at++;
    lexer_token(lexer, from, HIGHLIGHT_NUMBER);
}

bool lexer_string(struct lexer *lexer, uint8_t quote)
{
    while (lexer->at < lexer->size) {
        uint8_t c = lexer->text[lexer->at++];

        if (c == quote)
            return true;
        if (c == '\\' && lexer->at < lexer->size)
            lexer->at++;
    }
    return false;
}

void lexer_skip_space(struct lexer *lexer)
{
    while (is_space(peek(lexer, 0)))
        lexer->at++;
}

uint8_t lexer_next_char(const struct lexer *lexer)
{
    size_t at = lexer->at;

    while (at < lexer->size && is_space(lexer->text[at]))
        at++;
    return at < lexer->size ? lexer->text[at] : 0;
}

bool lexer_is_keyword(const struct lexer *lexer, struct gb_bytes name)
{
    return gb_texts_have_bytes(&lexer->language->highlight.keywords, name);
}

bool lexer_is_type(const struct lexer *lexer, struct gb_bytes name)
{
    return gb_texts_have_bytes(&lexer->language->highlight.types, name);
}

bool is_word_of(struct gb_bytes name, const char *words)
{
    while (*words != '\0') {
        size_t size = strcspn(words, " ");

        if (size == name.size && memcmp(words, name.data, size) == 0)
            return true;
        words += size + (words[size] == ' ');
    }
    return false;
}

void state_push(struct highlight_state *state, uint8_t what)
{
    if (state->depth < HIGHLIGHT_DEPTH_MAX)
        state->stack[state->depth++] = what;
}

uint8_t state_top(const struct highlight_state *state)
{
    return state->depth > 0 ? state->stack[state->depth - 1] : 0;
}

void state_pop(struct highlight_state *state)
{
    if (state->depth > 0)
        state->stack[--state->depth] = 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Python. state.mode: 0, or in a string that continues on the next line. */
#include "private.h"

enum { MODE_CODE, MODE_TRIPLE_SINGLE, MODE_TRIPLE_DOUBLE, MODE_SINGLE, MODE_DOUBLE };

/* Anywhere in a string of @mode. */
static void python_string_rest(struct lexer *lexer, size_t from, uint8_t mode)
{
    uint8_t quote = mode == MODE_TRIPLE_SINGLE || mode == MODE_SINGLE ? '\'' : '"';
    bool triple = mode == MODE_TRIPLE_SINGLE || mode == MODE_TRIPLE_DOUBLE;
    bool ended = false;

    lexer->state->mode = MODE_CODE;
    while (lexer->at < lexer->size && !ended) {
        uint8_t c = lexer->text[lexer->at++];

        if (c == '\\' && lexer->at == lexer->size)
            lexer->state->mode = mode; /* line continuation */
        else if (c == '\\')
            lexer->at++;
        else if (c == quote && !triple)
            ended = true;
        else if (c == quote && peek(lexer, 0) == quote && peek(lexer, 1) == quote) {
            lexer->at += 2;
            ended = true;
        }
    }
    if (triple && !ended)
        lexer->state->mode = mode;
    lexer_token(lexer, from, HIGHLIGHT_STRING);
}

static void python_string(struct lexer *lexer, size_t from)
{
    uint8_t quote = peek(lexer, 0);
    bool triple = peek(lexer, 1) == quote && peek(lexer, 2) == quote;

    lexer->at += triple ? 3 : 1;
    if (triple)
        python_string_rest(lexer, from, quote == '\'' ? MODE_TRIPLE_SINGLE : MODE_TRIPLE_DOUBLE);
    else
        python_string_rest(lexer, from, quote == '\'' ? MODE_SINGLE : MODE_DOUBLE);
}

static bool python_is_quote(uint8_t c)
{
    return c == '\'' || c == '"';
}

static bool python_is_prefix(struct gb_bytes python_name)
{
    return python_name.size <= 2 &&
           strspn((const char[]){(char)python_name.data[0], '\0'}, "rRbBuUfFtT") == 1 &&
           (python_name.size == 1 ||
            strspn((const char[]){(char)python_name.data[1], '\0'}, "rRbBuUfFtT") == 1);
}

/* `match` and `case` are names unless the line starts with them and ends with a colon. */
static bool python_is_soft_keyword(const struct lexer *lexer, struct gb_bytes python_name,
                                   bool first)
{
    size_t end = lexer->size;

    if (!first || !is_word_of(python_name, "match case type"))
        return false;
    if (gb_bytes_equal(python_name, "type"))
        return is_name_start(lexer_next_char(lexer));
    while (end > 0 && is_space(lexer->text[end - 1]))
        end--;
    return end > lexer->at && lexer->text[end - 1] == ':' && lexer_next_char(lexer) != '=' &&
           lexer_next_char(lexer) != ':' && lexer_next_char(lexer) != '.';
}

static void python_name(struct lexer *lexer, bool first, bool *defines)
{
    size_t from = lexer->at;
    bool member = from > 0 && lexer->text[from - 1] == '.';
    struct gb_bytes word = lexer_name(lexer);
    bool defined = *defines;

    *defines = false;
    if (python_is_quote(peek(lexer, 0)) && python_is_prefix(word)) {
        python_string(lexer, from);
    } else if (!member &&
               (lexer_is_keyword(lexer, word) || python_is_soft_keyword(lexer, word, first))) {
        *defines = gb_bytes_equal(word, "def") || gb_bytes_equal(word, "class");
        lexer_token(lexer, from, HIGHLIGHT_KEYWORD);
    } else if (is_upper(word.data[0]) || (!member && lexer_is_type(lexer, word))) {
        lexer_token(lexer, from, HIGHLIGHT_TYPE);
    } else if (defined || lexer_next_char(lexer) == '(') {
        lexer_token(lexer, from, HIGHLIGHT_FUNCTION);
    }
}

void lex_python(struct lexer *lexer)
{
    bool first = true, defines = false;

    if (lexer->state->mode != MODE_CODE) {
        python_string_rest(lexer, 0, lexer->state->mode);
        first = false;
    }
    while (lexer->at < lexer->size) {
        size_t from = lexer->at;
        uint8_t c = peek(lexer, 0);

        if (is_space(c)) {
            lexer->at++;
            continue;
        }
        if (c == '#') {
            lexer->at = lexer->size;
            lexer_token(lexer, from, HIGHLIGHT_COMMENT);
        } else if (python_is_quote(c)) {
            python_string(lexer, from);
        } else if (is_digit(c) || (c == '.' && is_digit(peek(lexer, 1)))) {
            lexer_number(lexer);
        } else if (is_name_start(c)) {
            python_name(lexer, first, &defines);
        } else if (c == '@' && first) {
            lexer->at++;
            while (is_name(peek(lexer, 0)) || peek(lexer, 0) == '.')
                lexer->at++;
            lexer_token(lexer, from, HIGHLIGHT_FUNCTION);
        } else {
            lexer->at++;
            if (strchr("+-*/%=<>!&|^~:@", c) != NULL && c != 0)
                lexer_token(lexer, from, HIGHLIGHT_OPERATOR);
        }
        first = false;
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
/* JavaScript and TypeScript. state.mode: 0 or in a block comment. The stack contains enclosing
 * constructs that matter: a template, an expression in a template, braces in such an expression. */
#include "private.h"

enum { MODE_CODE, MODE_COMMENT };
enum { IN_TEMPLATE = 1, IN_EXPRESSION, IN_BRACES };

/* After these a slash starts a regular expression. */
static const char before_operand[] = "return typeof case in of do else void delete throw new await "
                                     "yield instanceof";

static void javascript_comment_rest(struct lexer *lexer, size_t from)
{
    const uint8_t *end = lexer->at < lexer->size
                             ? memmem(lexer->text + lexer->at, lexer->size - lexer->at, "*/", 2)
                             : NULL;

    lexer->state->mode = end != NULL ? MODE_CODE : MODE_COMMENT;
    lexer->at = end != NULL ? (size_t)(end - lexer->text) + 2 : lexer->size;
    lexer_token(lexer, from, HIGHLIGHT_COMMENT);
}

/* In a template: up to its end or to an expression in it. */
static void javascript_template_rest(struct lexer *lexer, size_t from)
{
    while (lexer->at < lexer->size) {
        uint8_t c = lexer->text[lexer->at++];

        if (c == '`') {
            state_pop(lexer->state);
            break;
        }
        if (c == '\\' && lexer->at < lexer->size) {
            lexer->at++;
        } else if (c == '$' && peek(lexer, 0) == '{' && lexer->state->depth < HIGHLIGHT_DEPTH_MAX) {
            lexer->at--;
            lexer_token(lexer, from, HIGHLIGHT_STRING);
            from = lexer->at;
            lexer->at += 2;
            lexer_token(lexer, from, HIGHLIGHT_OPERATOR);
            state_push(lexer->state, IN_EXPRESSION);
            return;
        }
    }
    lexer_token(lexer, from, HIGHLIGHT_STRING);
}

/* False, without moving, if it does not end on this line and is therefore not a regular
 * expression. */
static bool javascript_regular_expression(struct lexer *lexer)
{
    size_t from = lexer->at, at = from + 1;
    bool in_class = false;

    for (; at < lexer->size; at++) {
        uint8_t c = lexer->text[at];

        if (c == '\\')
            at++;
        else if (c == '[')
            in_class = true;
        else if (c == ']')
            in_class = false;
        else if (c == '/' && !in_class)
            break;
    }
    if (at >= lexer->size)
        return false;
    lexer->at = at + 1;
    while (is_name(peek(lexer, 0)))
        lexer->at++;
    lexer_token(lexer, from, HIGHLIGHT_STRING);
    return true;
}

/* Returns whether an operand may follow. */
static bool javascript_name(struct lexer *lexer)
{
    size_t from = lexer->at;
    bool member = from > 0 && lexer->text[from - 1] == '.';
    struct gb_bytes word = lexer_name(lexer);
    uint8_t next = lexer_next_char(lexer);

    if (!member && lexer_is_keyword(lexer, word) &&
        !(next == '(' && is_word_of(word, "get set of from as is type")) && next != '=') {
        lexer_token(lexer, from, HIGHLIGHT_KEYWORD);
        return is_word_of(word, before_operand);
    }
    if (!member && lexer_is_type(lexer, word))
        lexer_token(lexer, from, HIGHLIGHT_TYPE);
    else if (is_upper(word.data[0]))
        lexer_token(lexer, from, HIGHLIGHT_TYPE);
    else if (next == '(')
        lexer_token(lexer, from, HIGHLIGHT_FUNCTION);
    return false;
}

static void javascript_brace(struct lexer *lexer, uint8_t c)
{
    uint8_t top = state_top(lexer->state);
    size_t from = lexer->at++;

    if (c == '{' && top != 0) {
        state_push(lexer->state, IN_BRACES);
    } else if (c == '}' && top == IN_BRACES) {
        state_pop(lexer->state);
    } else if (c == '}' && top == IN_EXPRESSION) {
        state_pop(lexer->state);
        lexer_token(lexer, from, HIGHLIGHT_OPERATOR);
    }
}

/* Returns whether an operand may follow. */
static bool javascript_punctuation(struct lexer *lexer, uint8_t c, bool operand)
{
    size_t from = lexer->at;

    if (c == '/' && peek(lexer, 1) == '/') {
        lexer->at = lexer->size;
        lexer_token(lexer, from, HIGHLIGHT_COMMENT);
        return operand;
    }
    if (c == '/' && peek(lexer, 1) == '*') {
        lexer->at += 2;
        javascript_comment_rest(lexer, from);
        return operand;
    }
    if (c == '/' && operand && javascript_regular_expression(lexer))
        return false;
    if (c == '{' || c == '}') {
        javascript_brace(lexer, c);
        return true;
    }
    lexer->at++;
    if (strchr("+-*/%=<>!&|^~?:", c) != NULL && c != 0)
        lexer_token(lexer, from, HIGHLIGHT_OPERATOR);
    return c != ')' && c != ']';
}

void lex_javascript(struct lexer *lexer)
{
    bool operand = true;

    if (lexer->state->mode == MODE_COMMENT)
        javascript_comment_rest(lexer, 0);
    while (lexer->at < lexer->size) {
        size_t from = lexer->at;
        uint8_t c = peek(lexer, 0);

        if (state_top(lexer->state) == IN_TEMPLATE) {
            javascript_template_rest(lexer, from);
            operand = state_top(lexer->state) == IN_EXPRESSION;
        } else if (is_space(c)) {
            lexer->at++;
        } else if (c == '`') {
            lexer->at++;
            if (lexer->state->depth == HIGHLIGHT_DEPTH_MAX) {
                (void)lexer_string(lexer, '`');
                lexer_token(lexer, from, HIGHLIGHT_STRING);
            } else {
                state_push(lexer->state, IN_TEMPLATE);
                javascript_template_rest(lexer, from);
            }
            operand = state_top(lexer->state) == IN_EXPRESSION;
        } else if (c == '\'' || c == '"') {
            lexer->at++;
            (void)lexer_string(lexer, c);
            lexer_token(lexer, from, HIGHLIGHT_STRING);
            operand = false;
        } else if (is_digit(c) || (c == '.' && is_digit(peek(lexer, 1)))) {
            lexer_number(lexer);
            operand = false;
        } else if (is_name_start(c) || c == '$') {
            lexer->at += c == '$';
            operand = is_name(peek(lexer, 0)) ? javascript_name(lexer) : false;
        } else if (c == '@' && is_name_start(peek(lexer, 1))) {
            lexer->at++;
            (void)lexer_name(lexer);
            lexer_token(lexer, from, HIGHLIGHT_FUNCTION);
        } else {
            operand = javascript_punctuation(lexer, c, operand);
        }
    }
}

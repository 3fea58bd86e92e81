/* SPDX-License-Identifier: Apache-2.0 */
/* The shell. state.mode: 0, or in a here document (word ends it; MODE_HERE_TABS: after leading
 * tabs). The stack contains the open quotes and substitutions. */
#include "private.h"

enum { MODE_CODE, MODE_HERE, MODE_HERE_TABS };
enum { IN_SINGLE = 1, IN_DOUBLE, IN_DOLLAR_SINGLE, IN_SUBSTITUTION, IN_BACKTICKS };

/* After these comes a command. */
static const char before_command[] = "if then else elif while until do time coproc { ! && || ;";

static bool shell_is_blank_or_end(uint8_t c)
{
    return c == 0 || is_space(c);
}

static bool shell_is_meta(uint8_t c)
{
    return c == ';' || c == '&' || c == '|' || c == '(' || c == ')' || c == '<' || c == '>';
}

static bool shell_here_document(struct lexer *lexer)
{
    struct highlight_state *state = lexer->state;
    size_t from = 0;

    if (state->mode == MODE_CODE)
        return false;
    while (state->mode == MODE_HERE_TABS && from < lexer->size && lexer->text[from] == '\t')
        from++;
    lexer->at = lexer->size;
    if (lexer->size - from == state->word_size &&
        memcmp(lexer->text + from, state->word, state->word_size) == 0) {
        state->mode = MODE_CODE;
        lexer_token(lexer, from, HIGHLIGHT_OPERATOR);
    } else {
        lexer_token(lexer, 0, HIGHLIGHT_STRING);
    }
    return true;
}

/* After `<<`: stores the terminator. */
static void shell_here_word(struct lexer *lexer, uint8_t *mode)
{
    struct highlight_state *state = lexer->state;
    bool tabs = peek(lexer, 0) == '-';
    uint8_t quote;
    size_t size = 0;

    lexer->at += tabs;
    lexer_skip_space(lexer);
    quote = peek(lexer, 0);
    if (quote == '\'' || quote == '"' || quote == '\\')
        lexer->at++;
    else
        quote = 0;
    while (size < HIGHLIGHT_WORD_MAX && is_name(peek(lexer, 0)))
        state->word[size++] = (char)lexer->text[lexer->at++];
    if (quote != 0 && peek(lexer, 0) == quote)
        lexer->at++;
    state->word_size = (uint8_t)size;
    if (size > 0)
        *mode = tabs ? MODE_HERE_TABS : MODE_HERE;
}

/* $name ${…} $1 $? $( */
static void shell_dollar(struct lexer *lexer)
{
    size_t from = lexer->at++;
    uint8_t c = peek(lexer, 0);

    if (c == '(') {
        lexer->at++;
        if (lexer->state->depth < HIGHLIGHT_DEPTH_MAX)
            state_push(lexer->state, IN_SUBSTITUTION);
        lexer_token(lexer, from, HIGHLIGHT_OPERATOR);
    } else if (c == '{') {
        while (lexer->at < lexer->size && lexer->text[lexer->at] != '}')
            lexer->at++;
        lexer->at += lexer->at < lexer->size;
        lexer_token(lexer, from, HIGHLIGHT_VARIABLE);
    } else if (is_name_start(c)) {
        (void)lexer_name(lexer);
        lexer_token(lexer, from, HIGHLIGHT_VARIABLE);
    } else if (c != 0 && strchr("0123456789?#@*!$-", c) != NULL) {
        lexer->at++;
        lexer_token(lexer, from, HIGHLIGHT_VARIABLE);
    }
}

/* In the quotes on top of the stack: up to their end or to a substitution. */
static void shell_quoted(struct lexer *lexer)
{
    uint8_t kind = state_top(lexer->state);
    uint8_t quote = kind == IN_DOUBLE ? '"' : '\'';
    size_t from = lexer->at;

    while (lexer->at < lexer->size) {
        uint8_t c = lexer->text[lexer->at];

        if (c == quote) {
            lexer->at++;
            state_pop(lexer->state);
            break;
        }
        if (c == '\\' && kind != IN_SINGLE && lexer->at + 1 < lexer->size) {
            lexer->at += 2;
        } else if (c == '$' && kind == IN_DOUBLE && !shell_is_blank_or_end(peek(lexer, 1)) &&
                   peek(lexer, 1) != '"') {
            lexer_token(lexer, from, HIGHLIGHT_STRING);
            shell_dollar(lexer);
            return;
        } else {
            lexer->at++;
        }
    }
    lexer_token(lexer, from, HIGHLIGHT_STRING);
}

/* Opens quotes; if the stack is full, they extend to the end of the line. */
static void shell_open_quotes(struct lexer *lexer, uint8_t kind, size_t skip)
{
    size_t from = lexer->at;

    lexer->at += skip;
    if (lexer->state->depth == HIGHLIGHT_DEPTH_MAX) {
        (void)lexer_string(lexer, kind == IN_DOUBLE ? '"' : '\'');
        lexer_token(lexer, from, HIGHLIGHT_STRING);
        return;
    }
    lexer_token(lexer, from, HIGHLIGHT_STRING);
    state_push(lexer->state, kind);
}

/* A word without quotes and expansions. Returns whether a command may follow. */
static bool shell_word(struct lexer *lexer, bool command)
{
    size_t from = lexer->at, equals = 0;
    bool digits = true;
    struct gb_bytes text;

    while (lexer->at < lexer->size) {
        uint8_t c = lexer->text[lexer->at];

        if (is_space(c) || shell_is_meta(c) || c == '\'' || c == '"' || c == '`' || c == '$')
            break;
        if (c == '=' && equals == 0)
            equals = lexer->at;
        digits &= is_digit(c);
        lexer->at += c == '\\' && lexer->at + 1 < lexer->size ? 2 : 1;
    }
    text = (struct gb_bytes){lexer->text + from, lexer->at - from};
    if (command && equals > from && is_name_start(lexer->text[from])) {
        size_t end = lexer->at;

        lexer->at = equals - (lexer->text[equals - 1] == '+');
        lexer_token(lexer, from, HIGHLIGHT_VARIABLE);
        lexer->at = end;
        return shell_is_blank_or_end(peek(lexer, 0)); /* a command may follow its environment */
    }
    if ((command || is_word_of(text, "in do ]] }")) && lexer_is_keyword(lexer, text)) {
        lexer_token(lexer, from, HIGHLIGHT_KEYWORD);
        return is_word_of(text, before_command);
    }
    if (command)
        lexer_token(lexer, from, HIGHLIGHT_FUNCTION);
    else if (digits)
        lexer_token(lexer, from, HIGHLIGHT_NUMBER);
    return false;
}

/* Returns whether a command may follow. */
static bool shell_metacharacter(struct lexer *lexer, uint8_t c, uint8_t *here)
{
    size_t from = lexer->at++;

    if (c == ')' && state_top(lexer->state) == IN_SUBSTITUTION) {
        state_pop(lexer->state);
        lexer_token(lexer, from, HIGHLIGHT_OPERATOR);
        return false;
    }
    if (c == '<' && peek(lexer, 0) == '<' && peek(lexer, 1) != '<') {
        lexer->at++;
        shell_here_word(lexer, here);
        lexer_token(lexer, from, HIGHLIGHT_OPERATOR);
        return false;
    }
    while ((c == '<' || c == '>' || c == '&' || c == '|' || c == ';') && peek(lexer, 0) == c)
        lexer->at++;
    if ((c == '<' || c == '>') && peek(lexer, 0) == '&') {
        lexer->at++;
        while (is_digit(peek(lexer, 0)))
            lexer->at++;
    }
    lexer_token(lexer, from, HIGHLIGHT_OPERATOR);
    return c != '<' && c != '>' && c != ')';
}

void lex_shell(struct lexer *lexer)
{
    bool command = true;
    uint8_t here = MODE_CODE;

    if (shell_here_document(lexer))
        return;
    while (lexer->at < lexer->size) {
        size_t from = lexer->at;
        uint8_t c = peek(lexer, 0), top = state_top(lexer->state);
        bool begins =
            from == 0 || is_space(lexer->text[from - 1]) || shell_is_meta(lexer->text[from - 1]);

        if (top == IN_SINGLE || top == IN_DOUBLE || top == IN_DOLLAR_SINGLE) {
            shell_quoted(lexer);
            command = state_top(lexer->state) == IN_SUBSTITUTION && top == IN_DOUBLE &&
                      lexer->at > from && lexer->text[lexer->at - 1] == '(';
        } else if (is_space(c)) {
            lexer->at++;
        } else if (c == '#' && begins) {
            lexer->at = lexer->size;
            lexer_token(lexer, from, HIGHLIGHT_COMMENT);
        } else if (c == '\'') {
            shell_open_quotes(lexer, IN_SINGLE, 1);
            command = false;
        } else if (c == '"') {
            shell_open_quotes(lexer, IN_DOUBLE, 1);
            command = false;
        } else if (c == '$' && peek(lexer, 1) == '\'') {
            shell_open_quotes(lexer, IN_DOLLAR_SINGLE, 2);
            command = false;
        } else if (c == '$') {
            shell_dollar(lexer);
            command = lexer->text[lexer->at - 1] == '(';
        } else if (c == '`') {
            lexer->at++;
            if (top == IN_BACKTICKS)
                state_pop(lexer->state);
            else
                state_push(lexer->state, IN_BACKTICKS);
            lexer_token(lexer, from, HIGHLIGHT_OPERATOR);
            command = top != IN_BACKTICKS;
        } else if (shell_is_meta(c)) {
            command = shell_metacharacter(lexer, c, &here);
        } else {
            command = shell_word(lexer, command);
        }
    }
    if (here != MODE_CODE)
        lexer->state->mode = here;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What the lexers share. */
#pragma once

#include <string.h>

#include "base/mem.h"
#include "highlight/highlight.h"

struct lexer {
    const uint8_t *text;
    size_t size, at;
    const struct gb_language *language; /* supplies the word lists */
    struct highlight_state *state;
    highlight_token *token;
    void *arg;
};

/* The byte @ahead of the current position; 0 at the end. */
static inline uint8_t peek(const struct lexer *lexer, size_t ahead)
{
    return lexer->at + ahead < lexer->size ? lexer->text[lexer->at + ahead] : 0;
}

static inline bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static inline bool is_upper(uint8_t c)
{
    return c >= 'A' && c <= 'Z';
}

/* Bytes above ASCII may be letters and count as part of a name. */
static inline bool is_name_start(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || is_upper(c) || c == '_' || c >= 0x80;
}

static inline bool is_name(uint8_t c)
{
    return is_name_start(c) || is_digit(c);
}

static inline bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* Emits a token from @from up to the current position. */
void lexer_token(struct lexer *lexer, size_t from, enum highlight_role role);
/* Consumes a name and returns it. */
struct gb_bytes lexer_name(struct lexer *lexer);
/* Consumes a number: digits, a point, letters (0x1f, 10n, 1e-5). */
void lexer_number(struct lexer *lexer);
/* Consumes the rest of a string after its opening quote, honouring backslashes. True if it ends on
 * this line. */
bool lexer_string(struct lexer *lexer, uint8_t quote);
void lexer_skip_space(struct lexer *lexer);
/* The next byte that is no space; 0: none. */
uint8_t lexer_next_char(const struct lexer *lexer);
/* Whether the record lists @name among the keywords, or among the types. */
bool lexer_is_keyword(const struct lexer *lexer, struct gb_bytes name);
bool lexer_is_type(const struct lexer *lexer, struct gb_bytes name);
/* Whether @name is one of @words, which are separated by single spaces. */
bool is_word_of(struct gb_bytes name, const char *words);

/* The stack in the state; pushing onto a full one does nothing. */
void state_push(struct highlight_state *state, uint8_t what);
uint8_t state_top(const struct highlight_state *state); /* 0: empty */
void state_pop(struct highlight_state *state);

void lex_words(struct lexer *lexer);
void lex_python(struct lexer *lexer);
void lex_javascript(struct lexer *lexer);
void lex_shell(struct lexer *lexer);

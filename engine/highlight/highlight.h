/* SPDX-License-Identifier: Apache-2.0 */
/* Source text in tokens for the eye: small lexers, a line at a time, with what has to be known from
 * the lines above in a state by value. So an editor lexes again only from the line that changed.
 *
 * The record of a language (language/language.h) names the lexer, and has the words that it goes
 * by. A language needs no lexer of its own: `words`, for which all rules stand in the record, is
 * also what one gets whose lexer is not known here.
 *
 * They guess where a language cannot be lexed without being parsed (a regular expression or a
 * division, a command or a word), never fail, take time linear in the line, and nest no deeper than
 * HIGHLIGHT_DEPTH_MAX: below that, everything has the role of the level above.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "language/language.h"

enum highlight_role {
    HIGHLIGHT_KEYWORD,
    HIGHLIGHT_STRING,
    HIGHLIGHT_NUMBER,
    HIGHLIGHT_COMMENT,
    HIGHLIGHT_FUNCTION, /* a name that is called or defined, a command of the shell */
    HIGHLIGHT_TYPE,     /* types and constants */
    HIGHLIGHT_OPERATOR,
    HIGHLIGHT_VARIABLE, /* in the shell, or behind the sign that the record names */
    HIGHLIGHT_ROLE_COUNT
};

enum { HIGHLIGHT_DEPTH_MAX = 12, HIGHLIGHT_WORD_MAX = 31 };

/* At the beginning of a line. Zeroed at the beginning of the text. */
struct highlight_state {
    uint8_t mode; /* of the lexer: in a string, in a comment, … */
    uint8_t depth;
    uint8_t stack[HIGHLIGHT_DEPTH_MAX];
    uint8_t word_size; /* what ends a here document */
    char word[HIGHLIGHT_WORD_MAX];
};

/* Bytes @from .. @to of the line. In order, not empty, not overlapping; what is between has no
 * role.
 */
typedef void highlight_token(void *arg, size_t from, size_t to, enum highlight_role role);

/* Lexes a line (without its newline) and makes @state that of the next one. @token may be NULL.
 * @language NULL, or gb_language_unknown: there are no tokens. */
void highlight_line(const struct gb_language *language, struct highlight_state *state,
                    struct gb_bytes line, highlight_token *token, void *arg);

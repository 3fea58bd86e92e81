/* SPDX-License-Identifier: Apache-2.0 */
/* Syntax highlighting: small lexers that work a line at a time. What a line needs to know of the
 * lines above is in a state that is passed by value, so an editor relexes only from the line that
 * changed.
 *
 * A language's record (language/language.h) names its lexer and supplies the word lists. A language
 * needs no lexer of its own: `words`, which works entirely from the record, is also the fallback
 * for a lexer that is not known here.
 *
 * The lexers guess where a language cannot be lexed without parsing it (regular expression or
 * division, command or word). They never fail, run in time linear in the line, and nest at most
 * HIGHLIGHT_DEPTH_MAX deep: below that, everything gets the role of the level above.
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
    HIGHLIGHT_FUNCTION, /* a name that is called or defined; a shell command */
    HIGHLIGHT_TYPE,     /* types and constants */
    HIGHLIGHT_OPERATOR,
    HIGHLIGHT_VARIABLE, /* in the shell, or after the sign that the record names */
    HIGHLIGHT_ROLE_COUNT
};

enum { HIGHLIGHT_DEPTH_MAX = 12, HIGHLIGHT_WORD_MAX = 31 };

/* The state at the start of a line. Zeroed at the start of the text. */
struct highlight_state {
    uint8_t mode; /* the lexer's: in a string, in a comment, … */
    uint8_t depth;
    uint8_t stack[HIGHLIGHT_DEPTH_MAX];
    uint8_t word_size; /* the terminator of a here document */
    char word[HIGHLIGHT_WORD_MAX];
};

/* Bytes @from .. @to of the line. Tokens come in order, not empty and not overlapping; the gaps
 * have no role. */
typedef void highlight_token(void *arg, size_t from, size_t to, enum highlight_role role);

/* Lexes a line (without its newline) and updates @state for the next one. @token may be NULL.
 * @language NULL or gb_language_unknown: no tokens. */
void highlight_line(const struct gb_language *language, struct highlight_state *state,
                    struct gb_bytes line, highlight_token *token, void *arg);

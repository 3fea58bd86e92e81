/* SPDX-License-Identifier: Apache-2.0 */
/* Source text in tokens for the eye: small lexers, a line at a time, with what has to be known from
 * the lines above in a state by value. So an editor lexes again only from the line that changed.
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

enum highlight_role {
    HIGHLIGHT_KEYWORD,
    HIGHLIGHT_STRING,
    HIGHLIGHT_NUMBER,
    HIGHLIGHT_COMMENT,
    HIGHLIGHT_FUNCTION, /* a name that is called or defined, a command of the shell */
    HIGHLIGHT_TYPE,     /* types and constants */
    HIGHLIGHT_OPERATOR,
    HIGHLIGHT_VARIABLE, /* of the shell */
    HIGHLIGHT_ROLE_COUNT
};

enum highlight_language {
    HIGHLIGHT_PYTHON,
    HIGHLIGHT_JAVASCRIPT, /* TypeScript too */
    HIGHLIGHT_SHELL,
    HIGHLIGHT_LANGUAGE_COUNT
};

enum { HIGHLIGHT_DEPTH_MAX = 12, HIGHLIGHT_WORD_MAX = 31 };

/* At the beginning of a line. Zeroed at the beginning of the text. */
struct highlight_state {
    uint8_t mode; /* of the language: in a string, in a comment, … */
    uint8_t depth;
    uint8_t stack[HIGHLIGHT_DEPTH_MAX];
    uint8_t word_size; /* what ends a here document */
    char word[HIGHLIGHT_WORD_MAX];
};

/* Bytes @from .. @to of the line. In order, not empty, not overlapping; what is between has no
 * role.
 */
typedef void highlight_token(void *arg, size_t from, size_t to, enum highlight_role role);

/* By the name of a session's language ("python"); HIGHLIGHT_LANGUAGE_COUNT for one that is not
 * known: then there are no tokens. */
enum highlight_language highlight_language(const char *name);

/* Lexes a line (without its newline) and makes @state that of the next one. @token may be NULL. */
void highlight_line(enum highlight_language language, struct highlight_state *state,
                    struct gb_bytes line, highlight_token *token, void *arg);

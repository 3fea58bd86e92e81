/* SPDX-License-Identifier: Apache-2.0 */
/* What a piece of text is, not its colour: for whatever is shown to people. The front end maps
 * these roles to those of its themes (view/paint.h); a terminal that scrolls shows them by the
 * table here. */
#pragma once

#include <stdbool.h>

#include "highlight/highlight.h"

enum show_role {
    SHOW_TEXT,
    SHOW_DIM,    /* what matters less */
    SHOW_STRONG, /* what is looked for first: the number of a cell */
    SHOW_HIDDEN, /* replaces something that cannot be shown */
    SHOW_SUGGESTION,
    SHOW_SELECTED,
    SHOW_CODE, /* code that was run, where it is not highlighted */
    SHOW_STDERR,
    SHOW_FAILED, /* how a cell failed */
    SHOW_KEYWORD,
    SHOW_STRING,
    SHOW_NUMBER,
    SHOW_COMMENT,
    SHOW_FUNCTION,
    SHOW_TYPE,
    SHOW_OPERATOR,
    SHOW_VARIABLE,
    SHOW_ROLE_COUNT
};

/* The role of a token of a lexer. */
enum show_role show_role_of(enum highlight_role token);
/* The parameters of its SGR sequence, "" for the terminal's default; without @colour only weight
 * and reverse video. */
const char *show_role_sgr(enum show_role role, bool colour);

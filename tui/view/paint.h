/* SPDX-License-Identifier: Apache-2.0 */
/* Paints lines of struct text. */
#pragma once

#include "highlight/highlight.h"
#include "screen/grid.h"
#include "show/role.h"
#include "text/text.h"
#include "view/search.h"

/* The lexer's state at the start of the line, updated to that of the next one. */
struct line_tokens {
    const struct gb_language *language; /* NULL: no highlighting */
    struct highlight_state *state;
};

/* The theme's role for what is shown to people everywhere. */
enum role paint_role_of(enum show_role role);

/* Paints bytes @from to @to of a line at column @x, clipped. Colours set by the program stay, the
 * rest has @role. @tokens and @search may be NULL. Returns the number of columns. */
int paint_line(struct region region, int x, int y, const struct text_line *line, size_t from,
               size_t to, enum role role, const struct line_tokens *tokens,
               const struct search *search);
/* Paints a line from column 0 of the first row of @region; if it is cut off, it ends with "…". */
void paint_line_cut(struct region region, const struct text_line *line, enum role role,
                    const struct line_tokens *tokens, const struct search *search);

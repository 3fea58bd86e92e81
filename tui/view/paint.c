/* SPDX-License-Identifier: Apache-2.0 */
/* Paints lines of struct text: colours of the program, lexer tokens, search matches. */
#include "view/paint.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "text/unit.h"

enum { LINE_BYTES_MAX = TEXT_COLUMNS_MAX * UNIT_BYTES_MAX };

static_assert((int)TEXT_BOLD == ATTRIBUTE_BOLD && (int)TEXT_STRIKE == ATTRIBUTE_STRIKE &&
                  (int)TEXT_REVERSE == ATTRIBUTE_REVERSE,
              "attributes have the same bits");
static_assert(TEXT_COLOUR_INDEX == COLOUR_INDEX(0) && TEXT_COLOUR_RGB == COLOUR_RGB(0),
              "colours are written alike");

/* The roles of a line's bytes. */
struct roles {
    uint8_t roles[LINE_BYTES_MAX];
    size_t size;
};

enum role paint_role_of(enum show_role role)
{
    static const uint8_t table[] = {
        [SHOW_TEXT] = ROLE_TEXT,
        [SHOW_DIM] = ROLE_DIM,
        [SHOW_STRONG] = ROLE_STRONG,
        [SHOW_HIDDEN] = ROLE_DIM,
        [SHOW_SUGGESTION] = ROLE_SUGGESTION,
        [SHOW_SELECTED] = ROLE_POPUP_SELECTED,
        [SHOW_CODE] = ROLE_CELL_CODE,
        [SHOW_STDERR] = ROLE_CELL_STDERR,
        [SHOW_FAILED] = ROLE_CELL_FAILED,
        [SHOW_KEYWORD] = ROLE_CODE_KEYWORD,
        [SHOW_STRING] = ROLE_CODE_STRING,
        [SHOW_NUMBER] = ROLE_CODE_NUMBER,
        [SHOW_COMMENT] = ROLE_CODE_COMMENT,
        [SHOW_FUNCTION] = ROLE_CODE_FUNCTION,
        [SHOW_TYPE] = ROLE_CODE_TYPE,
        [SHOW_OPERATOR] = ROLE_CODE_OPERATOR,
        [SHOW_VARIABLE] = ROLE_CODE_VARIABLE,
    };

    static_assert(ARRAY_SIZE(table) == SHOW_ROLE_COUNT, "a role for each");
    return (enum role)table[role];
}

static void paint_on_token(void *arg, size_t from, size_t to, enum highlight_role role)
{
    struct roles *roles = arg;

    if (from < roles->size)
        memset(roles->roles + from, (int)paint_role_of(show_role_of(role)),
               MIN(to, roles->size) - from);
}

static void paint_mark_matches(struct roles *roles, const struct search *search,
                               struct gb_bytes line)
{
    size_t at = 0;

    while (search != NULL && search_find(search, line, at, &at) && at < roles->size) {
        memset(roles->roles + at, ROLE_MATCH, MIN(search->size, roles->size - at));
        at += search->size;
    }
}

static struct style paint_style_at(const struct text_line *line, size_t at,
                                   const struct roles *roles)
{
    struct text_style own = text_style_at(line, at);
    struct style style = {.role = roles->roles[at]};

    if (style.role == ROLE_MATCH)
        return style;
    style.attributes = own.attributes & 0x3f;
    if ((own.attributes & TEXT_CONCEAL) != 0)
        style.attributes |= ATTRIBUTE_DIM;
    if ((own.attributes & TEXT_HIDDEN) != 0)
        style.role = ROLE_HIDDEN;
    style.fg = own.fg;
    style.bg = own.bg;
    return style;
}

int paint_line(struct region region, int x, int y, const struct text_line *line, size_t from,
               size_t to, enum role role, const struct line_tokens *tokens,
               const struct search *search)
{
    struct roles roles = {.size = MIN(line->bytes.size, sizeof(roles.roles))};
    struct unit unit;
    int start = x;
    size_t size;

    memset(roles.roles, (int)role, roles.size);
    if (tokens != NULL)
        highlight_line(tokens->language, tokens->state, line->bytes, paint_on_token, &roles);
    paint_mark_matches(&roles, search, line->bytes);
    to = MIN(to, roles.size);
    while (from < to &&
           (size = unit_next((struct gb_bytes){line->bytes.data + from, to - from}, &unit)) > 0) {
        struct glyph glyph = {
            .size = unit.size, .width = unit.width, .uncertain = (uint8_t)unit.bytes[0] >= 0x80};

        if (x + glyph.width > region.width)
            break;
        memcpy(glyph.text, unit.bytes, unit.size);
        paint_glyph(region, x, y, paint_style_at(line, from, &roles), &glyph);
        x += unit.width;
        from += size;
    }
    return x - start;
}

void paint_line_cut(struct region region, const struct text_line *line, enum role role,
                    const struct line_tokens *tokens, const struct search *search)
{
    (void)paint_line(region, 0, 0, line, 0, line->bytes.size, role, tokens, search);
    if (line->columns > region.width)
        (void)paint_str(region, region.width - 1, 0, STYLE(ROLE_DIM), "…");
}

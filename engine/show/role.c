/* SPDX-License-Identifier: Apache-2.0 */
#include "show/role.h"

#include <assert.h>
#include <stdint.h>

#include "base/mem.h"

static const struct {
    const char *plain, *colour;
} show_roles[] = {
    [SHOW_TEXT] = {"", ""},        [SHOW_DIM] = {"2", "2"},        [SHOW_STRONG] = {"1", "1"},
    [SHOW_HIDDEN] = {"2", "2;33"}, [SHOW_SUGGESTION] = {"2", "2"}, [SHOW_SELECTED] = {"7", "7"},
    [SHOW_CODE] = {"", "36"},      [SHOW_STDERR] = {"", "31"},     [SHOW_FAILED] = {"", "31"},
    [SHOW_KEYWORD] = {"", "35"},   [SHOW_STRING] = {"", "32"},     [SHOW_NUMBER] = {"", "33"},
    [SHOW_COMMENT] = {"", "2"},    [SHOW_FUNCTION] = {"", "36"},   [SHOW_TYPE] = {"", "33"},
    [SHOW_OPERATOR] = {"", ""},    [SHOW_VARIABLE] = {"", "36"},
};
static_assert(ARRAY_SIZE(show_roles) == SHOW_ROLE_COUNT, "an appearance for each");

enum show_role show_role_of(enum highlight_role token)
{
    static const uint8_t table[] = {
        [HIGHLIGHT_KEYWORD] = SHOW_KEYWORD,   [HIGHLIGHT_STRING] = SHOW_STRING,
        [HIGHLIGHT_NUMBER] = SHOW_NUMBER,     [HIGHLIGHT_COMMENT] = SHOW_COMMENT,
        [HIGHLIGHT_FUNCTION] = SHOW_FUNCTION, [HIGHLIGHT_TYPE] = SHOW_TYPE,
        [HIGHLIGHT_OPERATOR] = SHOW_OPERATOR, [HIGHLIGHT_VARIABLE] = SHOW_VARIABLE,
    };

    static_assert(ARRAY_SIZE(table) == HIGHLIGHT_ROLE_COUNT, "a role for each");
    return (enum show_role)table[token];
}

const char *show_role_sgr(enum show_role role, bool colour)
{
    return colour ? show_roles[role].colour : show_roles[role].plain;
}

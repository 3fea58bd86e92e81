/* SPDX-License-Identifier: Apache-2.0 */
#include "theme/theme.h"

#include <stdio.h>
#include <string.h>

#include "check_run.h"
#include "base/mem.h"

static int parse(const char *text, struct theme_file *file, struct gb_err *err)
{
    return theme_parse(gb_bytes_str(text), "test", file, err);
}

START_TEST(reads_and_resolves)
{
    struct theme_file files[2];
    struct gb_err err = {0};
    struct theme theme;

    ck_assert_int_eq(parse("[theme]\nname = Two\ninherit = base\n"
                           "[palette]\nink = #102030\n"
                           "[roles]\ntable.row.marked = bold\n",
                           &files[0], &err),
                     0);
    ck_assert_str_eq(files[0].inherit, "base");
    ck_assert_int_eq(parse("; comment\n[theme]\r\nkind = light\n"
                           "[palette]\nink = #ffffff\nground = #000000\nred = #800000\n"
                           "[roles]\ntext = ink on ground\ntable.row.selected = ground on ink\n"
                           "dim = red\nstate.idle = bright-blue italic\nlink = default on default",
                           &files[1], &err),
                     0);
    ck_assert_int_eq(theme_resolve(files, 2, &theme, &err), 0);
    ck_assert_str_eq(theme.name, "Two");
    ck_assert(theme.light);
    /* The nearer palette wins, also in what is inherited. */
    ck_assert_uint_eq(theme.looks.roles[ROLE_TEXT].fg, COLOUR_RGB(0x102030));
    ck_assert_uint_eq(theme.looks.roles[ROLE_ROW_SELECTED].bg, COLOUR_RGB(0x102030));
    /* A palette may give a name of ANSI another colour. */
    ck_assert_uint_eq(theme.looks.roles[ROLE_DIM].fg, COLOUR_RGB(0x800000));
    ck_assert_uint_eq(theme.looks.roles[ROLE_DIM].bg, COLOUR_RGB(0x000000));
    ck_assert_uint_eq(theme.looks.roles[ROLE_IDLE].fg, COLOUR_INDEX(12));
    ck_assert_uint_eq(theme.looks.roles[ROLE_IDLE].attributes, ATTRIBUTE_ITALIC);
    ck_assert_uint_eq(theme.looks.roles[ROLE_ROW_MARKED].attributes, ATTRIBUTE_BOLD);
    ck_assert_uint_eq(theme.looks.roles[ROLE_ROW_MARKED].fg, COLOUR_RGB(0x102030));
    ck_assert_uint_eq(theme.looks.roles[ROLE_LINK].bg, COLOUR_NONE);
    /* A role that nobody gives looks like what its name begins with. */
    ck_assert_uint_eq(theme.looks.roles[ROLE_CODE_TYPE].fg, COLOUR_RGB(0x102030));
}
END_TEST

static const char *const bad[] = {
    "name = x",
    "[roles]\nnothing = red",
    "[roles]\ntext = red\ntext = blue",
    "[roles]\ntext =",
    "[theme]\nkind = grey",
    "[theme]\ncolour = red",
    "[theme]\ninherit = ../etc/passwd",
    "[palette]\nink = #12345",
    "[palette]\nink = #12345g",
    "[palette]\nbold = #123456",
    "[palette]\nInk = #123456",
    "[palette]\nink = red\nink = blue",
    "[nothing]",
    "[roles]\nno equals sign",
    "[roles]\ntext = \x01",
};

START_TEST(refuses)
{
    struct theme_file file;
    struct gb_err err = {0};

    ck_assert_int_eq(parse(bad[_i], &file, &err), -GB_EINVALID);
    ck_assert_ptr_nonnull(strstr(err.message, "line "));
}
END_TEST

static const char *const unresolved[] = {"[roles]\ntext = nocolour", "[roles]\ntext = red blue",
                                         "[roles]\ntext = red on", "[roles]\ntext = red on bold"};

START_TEST(refuses_looks)
{
    struct theme_file file;
    struct gb_err err = {0};
    struct theme theme;

    ck_assert_int_eq(parse(unresolved[_i], &file, &err), 0);
    ck_assert_int_eq(theme_resolve(&file, 1, &theme, &err), -GB_EINVALID);
}
END_TEST

/* Lines and grounds are there to be overlooked; what is faint may be fainter than text. */
static double least_contrast(const char *theme, enum role role)
{
    static const enum role lines[] = {ROLE_FRAME, ROLE_FRAME_ACTIVE, ROLE_GRAPH_EMPTY,
                                      ROLE_CELL_GUTTER, ROLE_POPUP_FRAME};
    static const enum role faint[] = {ROLE_TREE,         ROLE_HEADING,     ROLE_CELL_NUMBER,
                                      ROLE_CODE_COMMENT, ROLE_PROMPT_MORE, ROLE_SUGGESTION};

    for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
        if (lines[i] == role)
            return 1;
    if (strcmp(theme, "high-contrast") == 0)
        return 7;
    for (size_t i = 0; i < ARRAY_SIZE(faint); i++)
        if (faint[i] == role)
            return 3.5;
    return 4.5;
}

START_TEST(every_theme_can_be_read)
{
    char names[THEME_LIST_MAX][THEME_NAME_MAX];
    size_t count = theme_list(names);

    ck_assert_uint_ge(count, 11);
    for (size_t i = 0; i < count; i++) {
        struct gb_err err = {0};
        struct theme theme;

        ck_assert_msg(theme_load(names[i], &theme, &err) == 0, "%s", err.message);
        for (size_t role = 0; role < ROLE_COUNT; role++) {
            struct look look = theme.looks.roles[role];
            double contrast = theme_contrast(look.fg, look.bg);

            /* What the person's terminal has is not known. */
            if (!COLOUR_IS_RGB(look.fg) || !COLOUR_IS_RGB(look.bg))
                continue;
            ck_assert_msg(contrast >= least_contrast(names[i], (enum role)role),
                          "theme %s, role %s: contrast %.2f", names[i], role_name((enum role)role),
                          contrast);
        }
    }
}
END_TEST

/* Every role that says something must look like more than its colour somewhere: here, that the
 * states are told apart without any. */
START_TEST(states_differ_without_colour)
{
    struct gb_err err = {0};
    struct theme theme;

    ck_assert_int_eq(theme_load("mono", &theme, &err), 0);
    for (size_t role = 0; role < ROLE_COUNT; role++)
        ck_assert(theme.looks.roles[role].fg == COLOUR_NONE &&
                  theme.looks.roles[role].bg == COLOUR_NONE);
    ck_assert_uint_ne(theme.looks.roles[ROLE_ROW_SELECTED].attributes, 0);
    ck_assert_uint_ne(theme.looks.roles[ROLE_BANNER_WARNING].attributes, 0);
}
END_TEST

START_TEST(names_are_no_paths)
{
    static const char *const names[] = {"", ".", "../dark", "/etc/passwd", "a/b", "nosuchtheme"};
    struct theme theme;

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        ck_assert_int_lt(theme_load(names[i], &theme, NULL), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("theme");
    TCase *tests = tcase_create("theme");

    tcase_add_test(tests, reads_and_resolves);
    tcase_add_loop_test(tests, refuses, 0, (int)ARRAY_SIZE(bad));
    tcase_add_loop_test(tests, refuses_looks, 0, (int)ARRAY_SIZE(unresolved));
    tcase_add_test(tests, every_theme_can_be_read);
    tcase_add_test(tests, states_differ_without_colour);
    tcase_add_test(tests, names_are_no_paths);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "highlight.h"

#include <string.h>

#include "check_run.h"
#include "base/mem.h"

/* Tokens as they come: each byte of the text gets a letter. */
static char marks[4096];
static size_t marks_at;

static void on_token(void *arg, size_t from, size_t to, enum highlight_role role)
{
    (void)arg;
    memset(marks + marks_at + from, "KSNCFTOV"[role], to - from);
}

static const char *marked(enum highlight_language language, const char *text)
{
    struct highlight_state state = {0};
    size_t at = 0;

    memset(marks, 0, sizeof(marks));
    marks_at = 0;
    for (;;) {
        size_t size = strcspn(text + at, "\n");

        memset(marks + at, '.', size);
        marks_at = at;
        highlight_line(language, &state, (struct gb_bytes){(const uint8_t *)text + at, size},
                       on_token, NULL);
        at += size;
        if (text[at] == '\0')
            return marks;
        marks[at++] = '\n';
    }
}

struct example {
    const char *text, *expected;
};

static void check_all(enum highlight_language language, const struct example *examples,
                      size_t count)
{
    for (size_t i = 0; i < count; i++)
        ck_assert_msg(strcmp(marked(language, examples[i].text), examples[i].expected) == 0,
                      "%s\n%s\n%s", examples[i].text, marks, examples[i].expected);
}

START_TEST(test_python)
{
    static const struct example examples[] = {
        {"x = 1.5e-3 # n", "..O.NNNNNN.CCC"},
        {"def f(a):", "KKK.F...O"},
        {"class Point(Base):", "KKKKK.TTTTT.TTTT.O"},
        {"print(None)", "FFFFF.TTTT."},
        {"a.print.if_(3)", "........FFF.N."},
        {"'it\\'s' \"x\"", "SSSSSSS.SSS"},
        {"rb'x' f\"{y}\"", "SSSSS.SSSSSS"},
        {"r(b'x')", "F.SSSS."},
        {"\"\"\"a\nb\"c\n\"\"\" + 1", "SSSS\nSSS\nSSS.O.N"},
        {"'a\\\nb' c", "SSS\nSS.."},
        {"'a\nb", "SS\n."}, /* it does not go on */
        {"@a.b(1)", "FFFF.N."},
        {"a @ b", "..O.."},
        {"match x:", "KKKKK..O"},
        {"match = 1", "......O.N"},
        {"match(x)", "FFFFF..."},
        {"0x1F 0b1 1_000 .5 1j", "NNNN.NNN.NNNNN.NN.NN"},
        {"x[1:-2]", "..NOON."},
        {"\303\244 = 1", "...O.N"},
        {"for i in range(3):", "KKK...KK.TTTTT.N.O"},
    };

    check_all(HIGHLIGHT_PYTHON, examples, ARRAY_SIZE(examples));
}
END_TEST

START_TEST(test_javascript)
{
    static const struct example examples[] = {
        {"const x = 10n;", "KKKKK...O.NNN."},
        {"f(a) // n", "F....CCCC"},
        {"a /* b\nc */ d", "..CCCC\nCCCC.."},
        {"x = /a[/]b/g.test(y)", "..O.SSSSSSSS.FFFF..."},
        {"x = a / b / c", "..O...O...O.."},
        {"(a) / 2", "....O.N"},
        {"return /x/", "KKKKKK.SSS"},
        {"`a${b + `c${d}`}e` f", "SSOO..O.SSOO.OSOSS.."},
        {"`a\nb` c", "SS\nSS.."},
        {"`${{a: 1}.a}` x", "SOO..O.N...OS.."},
        {"let y: number = null", "KKK..O.TTTTTT.O.TTTT"},
        {"class A extends B {", "KKKKK.T.KKKKKKK.T.."},
        {"o.if(1)", "..FF.N."},
        {"'a\\'b' \"c\"", "SSSSSS.SSS"},
        {"@dec x", "FFFF.."},
        {"await fetch(u)", "KKKKK.FFFFF..."},
    };

    check_all(HIGHLIGHT_JAVASCRIPT, examples, ARRAY_SIZE(examples));
}
END_TEST

START_TEST(test_shell)
{
    static const struct example examples[] = {
        {"ls -l | wc -l", "FF....O.FF..."},
        {"if true; then echo 1; fi", "KK.FFFFO.KKKK.FFFF.NO.KK"},
        {"echo \"a $b ${c} $(ls \"$d\") e\"", "FFFF.SSSVVSVVVVSOOFF.SVVSOSSS"},
        {"x=1 y=2 cmd", "V...V...FFF"},
        {"echo x=1", "FFFF...."},
        {"echo 'a\nb' c", "FFFF.SS\nSS.."},
        {"cat <<E >o\na $b\nE\nls", "FFF.OOO.O.\nSSSS\nO\nFF"},
        {"cat <<-'E'\n\tE\nls", "FFF.OOOOOO\n.O\nFF"},
        {"echo a#b # c", "FFFF.....CCC"},
        {"a && b || c; d &", "F.OO.F.OO.FO.F.O"},
        {"for i in 1 2; do x; done", "KKK...KK.N.NO.KK.FO.KKKK"},
        {"echo $'a\\'b' $1 $?", "FFFF.SSSSSSS.VV.VV"},
        {"x 2>&1 >f", "F.NOOO.O."},
        {"echo $((1+2))", "FFFF.OOOFFFOO"},
    };

    check_all(HIGHLIGHT_SHELL, examples, ARRAY_SIZE(examples));
}
END_TEST

START_TEST(test_languages)
{
    ck_assert_int_eq(highlight_language("python"), HIGHLIGHT_PYTHON);
    ck_assert_int_eq(highlight_language("cobol"), HIGHLIGHT_LANGUAGE_COUNT);
    ck_assert_str_eq(marked(HIGHLIGHT_LANGUAGE_COUNT, "x = 'y'"), ".......");
}
END_TEST

START_TEST(test_deep)
{
    char text[121];

    /* Deeper than the stack: a template is what is between two quotes. */
    for (int i = 0; i < 120; i += 3)
        memcpy(text + i, "`${", 4);
    ck_assert_uint_eq(strlen(marked(HIGHLIGHT_JAVASCRIPT, text)), 120);
    ck_assert_uint_eq(strspn(marks, "SO"), 6 * 3 + 4);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("highlight");
    TCase *tests = tcase_create("highlight");

    tcase_add_test(tests, test_python);
    tcase_add_test(tests, test_javascript);
    tcase_add_test(tests, test_shell);
    tcase_add_test(tests, test_languages);
    tcase_add_test(tests, test_deep);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "highlight.h"

#include <string.h>

#include "check_run.h"
#include "base/mem.h"
#include "language/testing.h"

/* Tokens as they come: each byte of the text gets a letter. */
static char marks[4096];
static size_t marks_at;

static struct gb_languages languages;

static void on_token(void *arg, size_t from, size_t to, enum highlight_role role)
{
    (void)arg;
    memset(marks + marks_at + from, "KSNCFTOV"[role], to - from);
}

static const char *marked(const struct gb_language *language, const char *text)
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

static void check_all(const char *name, const struct example *examples, size_t count)
{
    const struct gb_language *language = gb_languages_find(&languages, name);

    ck_assert_ptr_nonnull(language);
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

    check_all("python", examples, ARRAY_SIZE(examples));
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

    check_all("javascript", examples, ARRAY_SIZE(examples));
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

    check_all("shell", examples, ARRAY_SIZE(examples));
}
END_TEST

/* A language for which there is no lexer here: all that is known stands in its record. */
static const char made_up[] =
    "{\"languages\":[{\"name\":\"pas\",\"title\":\"Pas\",\"prompt\":{\"first\":\"> \",\"more\":\". "
    "\","
    "\"indent\":\" \"},\"notebook\":{\"kernel\":\"pas\",\"title\":\"Pas\"},\"highlight\":{"
    "\"lexer\":\"%s\",\"keywords\":[\"begin\",\"end\"],\"types\":[\"nil\"],\"comments\":[\"--\",\"#"
    "\"],"
    "\"block\":[\"(*\",\"*)\"],\"strings\":[\"'\",\"\\\"\\\"\",\"\\\"\"],\"variables\":\"@@\"}}]}";

START_TEST(test_words)
{
    static const struct example examples[] = {
        {"begin x end", "KKKKK...KKK"},
        {"beginx begin_ end1", ".................."},
        {"nil(f(2)) f (3)", "TTT.F.N...F..N."},
        {"1 -- 2", "N.CCCC"},
        {"1 - 2 # 3", "N.O.N.CCC"},
        {"a (* b\nc *) d (* *) 1", "..CCCC\nCCCC...CCCCC.N"},
        {"'a\\'b' c 'd\n1", "SSSSSS...SS\nN"},
        {"\"\"a\"b\"\" \"c\" 1", "SSSSSSS.SSS.N"},
        {"@@a @b @@", "VVV.O..OO"},
        {"\303\244 = 0x1f", "...O.NNNN"},
        {"(*", "CC"},
        {"'\\", "SS"},
    };
    /* A lexer that nobody has is this one. */
    static const char *const names[] = {"words", "cobol"};
    struct gb_languages set;
    struct gb_buf text = {0};

    for (size_t k = 0; k < ARRAY_SIZE(names); k++) {
        set = (struct gb_languages){0};
        gb_buf_clear(&text);
        gb_buf_addf(&text, made_up, names[k]);
        ck_assert_int_eq(gb_languages_read_file(gb_buf_bytes(&text), &set, NULL), 0);
        for (size_t i = 0; i < ARRAY_SIZE(examples); i++)
            ck_assert_msg(strcmp(marked(set.list[0], examples[i].text), examples[i].expected) == 0,
                          "%s\n%s\n%s", examples[i].text, marks, examples[i].expected);
        gb_languages_release(&set);
    }
    gb_buf_release(&text);
}
END_TEST

START_TEST(test_languages)
{
    ck_assert_str_eq(marked(NULL, "x = 'y'"), ".......");
    ck_assert_str_eq(marked(&gb_language_unknown, "x = 'y'"), ".......");
}
END_TEST

START_TEST(test_deep)
{
    char text[121];

    /* Deeper than the stack: a template is what is between two quotes. */
    for (int i = 0; i < 120; i += 3)
        memcpy(text + i, "`${", 4);
    ck_assert_uint_eq(strlen(marked(gb_languages_find(&languages, "javascript"), text)), 120);
    ck_assert_uint_eq(strspn(marks, "SO"), 6 * 3 + 4);
}
END_TEST

static void setup(void)
{
    languages_of_workers(&languages);
}

static void teardown(void)
{
    gb_languages_release(&languages);
}

int main(void)
{
    Suite *suite = suite_create("highlight");
    TCase *tests = tcase_create("highlight");

    tcase_add_unchecked_fixture(tests, setup, teardown);
    tcase_add_test(tests, test_python);
    tcase_add_test(tests, test_javascript);
    tcase_add_test(tests, test_shell);
    tcase_add_test(tests, test_words);
    tcase_add_test(tests, test_languages);
    tcase_add_test(tests, test_deep);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}

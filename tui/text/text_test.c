/* SPDX-License-Identifier: Apache-2.0 */
#include "text.h"

#include <stdio.h>
#include <string.h>

#include "check_run.h"
#include "base/mem.h"
#include "text/unit.h"

static struct text *text;

static void setup(void)
{
    text = text_new(1 << 20);
}

static void teardown(void)
{
    text_free(text);
}

static void out(const char *s)
{
    text_feed(text, TEXT_STDOUT, gb_bytes_str(s));
}

static void err(const char *s)
{
    text_feed(text, TEXT_STDERR, gb_bytes_str(s));
}

/* All lines, each ended by '|', those of stderr behind '!', open ones before '_'. */
static const char *shown(void)
{
    static struct gb_buf buf;
    struct text_line line;

    gb_buf_clear(&buf);
    for (size_t i = 0; text_line(text, i, &line); i++) {
        gb_buf_adds(&buf, line.stream == TEXT_STDERR ? "!" : "");
        gb_buf_adds(&buf, line.continues ? "+" : "");
        gb_buf_add(&buf, line.bytes.data, line.bytes.size);
        gb_buf_adds(&buf, line.open ? "_" : "|");
    }
    return gb_buf_str(&buf);
}

static struct text_style style_of(size_t index, size_t at)
{
    struct text_line line;

    ck_assert(text_line(text, index, &line));
    return text_style_at(&line, at);
}

START_TEST(test_plain_lines)
{
    out("one\ntwo\nthr");
    ck_assert_str_eq(shown(), "one|two|thr_");
    out("ee\n\nfour");
    ck_assert_str_eq(shown(), "one|two|three||four_");
    text_end(text);
    ck_assert_str_eq(shown(), "one|two|three||four|");
    ck_assert_uint_eq(text_lines(text), 5);
}
END_TEST

START_TEST(test_motion)
{
    static const struct {
        const char *in, *expected;
    } cases[] = {
        {"10%\r50%\r100%\n", "100%|"},
        {"abc\rx\n", "xbc|"},
        {"abc\r\033[Kx\n", "x|"},
        {"abc\033[2K\rx\n", "x|"},
        {"abc\033[1Kd\n", "   d|"},
        {"ab\bc\n", "ac|"},
        {"\b\bab\n", "ab|"},
        {"a\tb\n", "a       b|"},
        {"12345678\tb\n", "12345678        b|"},
        {"a\033[3Cb\033[2Dc\n", "a  cb|"},
        {"abc\033[2Gx\n", "axc|"},
        {"one\ntwo\033[A\rONE\n", "ONE|two_"},
        {"one\ntwo\n\033[2AONE\n\nx", "ONE|two|x_"},
        {"one\ntwo\n\033[2F\033[Jthree\n", "three|"},
        {"one\n\033[99Ax\n", "xne|"},
        {"a\nb\nc\033[2A\033[By\n", "a|by|c_"}, /* the column is kept */
        {"a\nb\033[Ac\033[Ed", "ac_d_"},
        {"\033[H\033[2J\033[3Jx\n", "x|"}, /* the screen is not theirs */
        {"ab\033[99999999999Cx\b\n", NULL},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        text_clear(text);
        out(cases[i].in);
        if (cases[i].expected != NULL)
            ck_assert_msg(strcmp(shown(), cases[i].expected) == 0, "case %zu: %s", i, shown());
    }
}
END_TEST

START_TEST(test_colours)
{
    out("a\033[1;31mb\033[22;39mc\033[38;5;200md\033[48;2;1;2;3me\033[0mf\n");
    ck_assert_uint_eq(style_of(0, 0).fg, 0);
    ck_assert_uint_eq(style_of(0, 1).fg, TEXT_COLOUR_INDEX | 1);
    ck_assert_uint_eq(style_of(0, 1).attributes, TEXT_BOLD);
    ck_assert_uint_eq(style_of(0, 2).fg, 0);
    ck_assert_uint_eq(style_of(0, 2).attributes, 0);
    ck_assert_uint_eq(style_of(0, 3).fg, TEXT_COLOUR_INDEX | 200);
    ck_assert_uint_eq(style_of(0, 4).bg, TEXT_COLOUR_RGB | 0x010203);
    ck_assert_uint_eq(style_of(0, 5).bg, 0);
    /* With colons; underline that is curly; nonsense that is passed over. */
    out("\033[38:2::9:8:7mz\033[38:2:1:1:1my\033[4:3mx\033[4:0;38;2;300;1;1;92mw\n");
    ck_assert_uint_eq(style_of(1, 0).fg, TEXT_COLOUR_RGB | 0x090807);
    ck_assert_uint_eq(style_of(1, 1).fg, TEXT_COLOUR_RGB | 0x010101);
    ck_assert_uint_eq(style_of(1, 2).attributes, TEXT_UNDERLINE);
    ck_assert_uint_eq(style_of(1, 3).attributes, 0);
    ck_assert_uint_eq(style_of(1, 3).fg, TEXT_COLOUR_INDEX | 10);
    /* A colour goes on over lines. */
    out("v\n");
    ck_assert_uint_eq(style_of(2, 0).fg, TEXT_COLOUR_INDEX | 10);
}
END_TEST

START_TEST(test_swallowed)
{
    out("a\033]0;title\ab\033]8;;http://x\033\\c\033]8;;\033\\\033Pq#0\n~\033\\d\033_Gx\033\\e");
    out("\033[?1049h\033[6n\033[>c\033[5 q\033(0\033=f\033[!pg\033c\033[1;2;3;4;5;6;7;8;9;10;11;12;"
        "13;14;15;16;17;18;19;20;21;22;23;24;25mh\a\n");
    ck_assert_str_eq(shown(), "abcdefgh|");
    ck_assert_uint_eq(style_of(0, 7).attributes, 0);
    /* An OSC without an end takes its line and no more; other strings are bounded. */
    out("\033]52;c;evil\nnext\n");
    ck_assert_str_eq(shown(), "abcdefgh||next|");
    text_clear(text);
    out("\033P");
    for (int i = 0; i < (TEXT_STRING_MAX >> 10) + 1; i++) {
        char piece[1025];

        memset(piece, 'x', 1024);
        piece[1024] = '\0';
        out(piece);
    }
    out("\nend\n");
    ck_assert(strstr(shown(), "|end|") != NULL);
}
END_TEST

START_TEST(test_hidden)
{
    text_feed(text, TEXT_STDOUT, (struct gb_bytes){(const uint8_t *)"a\0b\x01", 4});
    out("\302\233\342\200\256\377z\n");
    ck_assert_str_eq(shown(), "a\342\220\200b\342\220\201\357\277\275\357\277\275\357\277\275z|");
    ck_assert_uint_eq(style_of(0, 0).attributes, 0);
    ck_assert_uint_eq(style_of(0, 1).attributes, TEXT_HIDDEN);
    ck_assert_uint_eq(style_of(0, 4).attributes, 0);
    ck_assert_uint_eq(style_of(0, 5).attributes, TEXT_HIDDEN);
}
END_TEST

START_TEST(test_wide)
{
    struct text_line line;

    out("\344\275\240\345\245\275\n");
    ck_assert(text_line(text, 0, &line));
    ck_assert_uint_eq(line.columns, 4);
    /* Half of a wide one that is overwritten is gone. */
    out("\344\275\240\345\245\275\033[2Gx\n\344\275\240\345\245\275\033[3Gx\n");
    ck_assert(strstr(shown(), "| x\345\245\275|\344\275\240x |") != NULL);
    /* A family is its first member, a flag two letters, marks are at most two. */
    text_clear(text);
    out("\360\237\221\250\342\200\215\360\237\221\251\342\200\215\360\237\221\247|"
        "\360\237\207\251\360\237\207\252|e\314\201\314\202\314\203\314\204|"
        "\342\230\272\357\270\217|\360\237\221\215\360\237\217\275\n");
    ck_assert_str_eq(shown(),
                     "\360\237\221\250|DE|e\314\201\314\202|\342\230\272|\360\237\221\215|");
    ck_assert(text_line(text, 0, &line));
    ck_assert_uint_eq(line.columns, 2 + 1 + 2 + 1 + 1 + 1 + 1 + 1 + 2);
}
END_TEST

START_TEST(test_streams)
{
    out("out ");
    err("err\n");
    ck_assert_str_eq(shown(), "!err|out _");
    /* A progress bar on stderr stays at the bottom. */
    err("\r10%");
    out("more\n");
    err("\r20%");
    out("again\n");
    ck_assert_str_eq(shown(), "!err|out more|again|!20%_");
    /* A cursor does not reach into the lines of the other stream. */
    err("\n\033[5Ax\n");
    out("\033[5Ay\n");
    ck_assert_str_eq(shown(), "!err|out more|again|!x0%|y|");
}
END_TEST

START_TEST(test_long_lines)
{
    struct text_line line;
    char piece[TEXT_COLUMNS_MAX + 1];

    memset(piece, 'x', TEXT_COLUMNS_MAX);
    piece[TEXT_COLUMNS_MAX] = '\0';
    out(piece);
    out("yz\n");
    ck_assert_uint_eq(text_lines(text), 2);
    ck_assert(text_line(text, 1, &line));
    ck_assert(line.continues);
    ck_assert_uint_eq(line.columns, 2);
    ck_assert_uint_eq(text_line_rows(&line, 80), 1);
    ck_assert_uint_eq(text_rows(text, 80), (TEXT_COLUMNS_MAX + 79) / 80 + 1);
    {
        struct gb_buf copy = {0};

        text_copy(text, TEXT_STREAM_COUNT, &copy);
        ck_assert_uint_eq(copy.size, TEXT_COLUMNS_MAX + 3);
        gb_buf_release(&copy);
    }
}
END_TEST

START_TEST(test_wrapping)
{
    struct text_line line;
    size_t from, to, index;
    unsigned part;

    out("abcdefgh\n\344\275\240\345\245\275\344\275\240\n\nxy");
    ck_assert(text_line(text, 1, &line));
    ck_assert_uint_eq(text_line_rows(&line, 3),
                      3); /* a wide one does not fit into a third column */
    text_line_part(&line, 3, 1, &from, &to);
    ck_assert_uint_eq(from, 3);
    ck_assert_uint_eq(to, 6);
    ck_assert_uint_eq(text_rows(text, 3), 3 + 3 + 1 + 1);
    ck_assert_uint_eq(text_rows(text, 0), 4);
    ck_assert(text_locate(text, 3, 4, &index, &part));
    ck_assert_uint_eq(index, 1);
    ck_assert_uint_eq(part, 1);
    ck_assert(text_locate(text, 3, 7, &index, &part));
    ck_assert_uint_eq(index, 3);
    ck_assert(!text_locate(text, 3, 8, &index, &part));
    ck_assert_uint_eq(text_row_of(text, 3, 2), 6);
}
END_TEST

START_TEST(test_bounded)
{
    static const size_t limit = 256 << 10;
    struct text_line line;

    text_free(text);
    text = text_new(limit);
    for (int i = 0; i < 100000; i++) {
        char s[64];

        (void)snprintf(s, sizeof(s), "line number %d\n", i);
        out(s);
        ck_assert_uint_le(text_bytes(text), limit);
    }
    ck_assert_uint_eq(text_lines(text) + text_dropped(text), 100000);
    ck_assert_uint_gt(text_lines(text), 5000);
    ck_assert(text_line(text, text_lines(text) - 1, &line));
    ck_assert(gb_bytes_equal(line.bytes, "line number 99999"));
    ck_assert(text_line(text, 0, &line));
    ck_assert_uint_eq(text_rows(text, 80), text_lines(text));
    text_trim(text, 64 << 10);
    ck_assert_uint_le(text_bytes(text), 64 << 10);
    ck_assert_uint_eq(text_lines(text) + text_dropped(text), 100000);
}
END_TEST

/* A long output of both streams, in colours: it is known where each line that is kept began. */
START_TEST(test_origin)
{
    struct gb_buf fed[TEXT_STREAM_COUNT] = {0};
    enum text_stream at;
    struct text_line line;
    char told[64];

    text_free(text);
    text = text_new(128 << 10);
    ck_assert_uint_eq(text_origin(text, &at), 0);
    for (int i = 0; i < 20000; i++) {
        enum text_stream stream = i % 3 == 0 ? TEXT_STDERR : TEXT_STDOUT;
        size_t from = fed[stream].size;
        struct gb_bytes bytes;

        gb_buf_addf(&fed[stream], i % 5 == 0 ? "\033[3%dmn\303\274mber\033[0m %d\n" : "%d %d\n",
                    i % 8, i);
        bytes = gb_buf_bytes(&fed[stream]);
        bytes.data += from;
        bytes.size -= from;
        text_feed(text, stream, bytes);
        if (i == 9000)
            text_end(text);
        if (i % 1000 != 999)
            continue;
        ck_assert(text_line(text, 0, &line));
        stream = line.stream;
        (void)snprintf(told, sizeof(told), "%.*s\n", (int)line.bytes.size,
                       (const char *)line.bytes.data);
        /* It ends with its number. */
        bytes = gb_bytes_str(strrchr(told, ' '));
        from = (size_t)text_origin(text, &at);
        ck_assert_int_eq(at, stream);
        ck_assert_uint_lt(from, fed[stream].size);
        ck_assert(from == 0 || gb_buf_data(&fed[stream])[from - 1] == '\n');
        while (gb_buf_data(&fed[stream])[from] != '\n')
            from++;
        ck_assert_mem_eq(gb_buf_data(&fed[stream]) + from + 1 - bytes.size, bytes.data, bytes.size);
    }
    ck_assert_uint_gt(text_dropped(text), 0);
    for (int i = 0; i < TEXT_STREAM_COUNT; i++)
        gb_buf_release(&fed[i]);
}
END_TEST

START_TEST(test_dense_styles)
{
    struct text_line line;

    /* A line of which each column has a colour of its own is as large as a line can be. */
    for (int i = 0; i < TEXT_COLUMNS_MAX; i++) {
        char s[48];

        (void)snprintf(s, sizeof(s), "\033[38;2;%d;%d;7mz\314\201\314\201", i / 256, i % 256);
        out(s);
    }
    out("\n");
    ck_assert(text_line(text, 0, &line));
    ck_assert_uint_eq(line.run_count, TEXT_COLUMNS_MAX);
    ck_assert_uint_eq(line.bytes.size, TEXT_COLUMNS_MAX * 5);
    ck_assert_uint_eq(style_of(0, 5 * 700).fg, TEXT_COLOUR_RGB | 700 << 8 | 7);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("text");
    TCase *tests = tcase_create("text");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, test_plain_lines);
    tcase_add_test(tests, test_motion);
    tcase_add_test(tests, test_colours);
    tcase_add_test(tests, test_swallowed);
    tcase_add_test(tests, test_hidden);
    tcase_add_test(tests, test_wide);
    tcase_add_test(tests, test_streams);
    tcase_add_test(tests, test_long_lines);
    tcase_add_test(tests, test_wrapping);
    tcase_add_test(tests, test_bounded);
    tcase_add_test(tests, test_origin);
    tcase_add_test(tests, test_dense_styles);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}

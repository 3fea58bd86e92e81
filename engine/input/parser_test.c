/* SPDX-License-Identifier: Apache-2.0 */
#include "input/parser.h"

#include <stdio.h>
#include <string.h>

#include "check_run.h"
#include "base/mem.h"

/* Events written down as one line. */
static void note(void *arg, const struct input_event *event)
{
    struct gb_buf *out = arg;
    char name[KEY_NAME_MAX];

    if (out->size > 0)
        gb_buf_adds(out, " ");
    switch (event->kind) {
    case INPUT_KEY:
        key_text(event->key, name);
        gb_buf_adds(out, name);
        break;
    case INPUT_PASTE:
        gb_buf_addf(out, "paste(%.*s)", (int)event->bytes.size, (const char *)event->bytes.data);
        break;
    case INPUT_MOUSE:
        gb_buf_addf(out, "mouse(%d,%d,%d,%d)", (int)event->action, event->button, event->x,
                    event->y);
        break;
    case INPUT_FOCUS:
        gb_buf_addf(out, "focus(%d)", event->on);
        break;
    case INPUT_BACKGROUND:
        gb_buf_addf(out, "background(%06x)", event->rgb);
        break;
    case INPUT_MODE:
        gb_buf_addf(out, "mode(%d,%d)", event->mode, event->value);
        break;
    case INPUT_SCHEME:
        gb_buf_addf(out, "scheme(%d)", event->on);
        break;
    case INPUT_DEVICE:
        gb_buf_addf(out, "device(%d)", event->sixel);
        break;
    case INPUT_GRAPHICS:
        gb_buf_addf(out, "graphics(%d)", event->on);
        break;
    case INPUT_CELL_SIZE:
        gb_buf_addf(out, "cell(%d,%d)", event->x, event->y);
        break;
    case INPUT_KIND_COUNT:
        ck_abort();
    }
}

static const struct {
    const char *bytes, *events;
} cases[] = {
    {"a", "a"},
    {"ä€😀", "ä € 😀"},
    {"\r\t\x7f", "Enter Tab BSpace"},
    {"\x01\x18\x1d\x08", "C-a C-x C-] C-h"},
    {"\x1b[A\x1b[1;5C\x1bOP\x1b[15~", "Up C-Right F1 F5"},
    {"\x1b[3;2~\x1b[Z", "S-Del S-Tab"},
    {"\x1b"
     "f\x1b\r\x1b\x7f",
     "M-f M-Enter M-BSpace"},
    {"\x1b[[B", "F2"},
    {"\x1b[97;5u\x1b[13;2u\x1b[27;5;9~", "C-a S-Enter C-Tab"},
    {"\x1b[<0;10;5M\x1b[<0;10;5m\x1b[<65;1;1M\x1b[<32;3;4M",
     "mouse(0,1,9,4) mouse(1,1,9,4) mouse(4,0,0,0) mouse(2,1,2,3)"},
    {"\x1b[I\x1b[O", "focus(1) focus(0)"},
    {"\x1b[200~one\rtwo\r\nx\x1b[A\x1b[201~q", "paste(one\ntwo\nx\x1b[A) q"},
    {"\x1b]11;rgb:ffff/0000/8080\x1b\\\x1b]11;rgb:1/2/f\x07",
     "background(ff0080) background(1122ff)"},
    {"\x1b[?2026;2$y\x1b[?62;4c\x1b[?997;1n\x1b[6;18;9t",
     "mode(2026,2) device(1) scheme(1) cell(9,18)"},
    {"\x1b_Gi=31;OK\x1b\\\x1b_Gi=31;ENOTSUP\x1b\\", "graphics(1) graphics(0)"},
    {"\x1b]52;c;aGk=\x07"
     "a\x1bPq#0\x1b\\b",
     "a b"},
    {"\xff\xc3(\xed\xa0\x80"
     "a\xc2\x96"
     "b",
     "( a b"},
    {"\x1b[<0;0;5M\x1b[<66;1;1Mz", "z"},
    {"\x1b[99999999999999999999~z", "z"},
};

START_TEST(events)
{
    /* At once, and byte by byte: the same. */
    for (int step = 0; step < 2; step++) {
        struct input_parser parser = {0};
        struct gb_buf out = {0};
        const char *bytes = cases[_i].bytes;

        if (step == 0)
            input_feed(&parser, gb_bytes_str(bytes), note, &out);
        for (size_t i = 0; step == 1 && i < strlen(bytes); i++)
            input_feed(&parser, (struct gb_bytes){(const uint8_t *)bytes + i, 1}, note, &out);
        ck_assert_str_eq(gb_buf_str(&out), cases[_i].events);
        ck_assert_uint_eq(input_waiting(&parser), 0);
        gb_buf_release(&out);
        input_release(&parser);
    }
}
END_TEST

START_TEST(a_lone_escape_waits)
{
    struct input_parser parser = {0};
    struct gb_buf out = {0};

    input_feed(&parser, gb_bytes_str("\x1b"), note, &out);
    ck_assert_uint_eq(out.size, 0);
    ck_assert_uint_eq(input_waiting(&parser), INPUT_ESCAPE_MS);
    input_expired(&parser, note, &out);
    ck_assert_str_eq(gb_buf_str(&out), "Esc");
    input_feed(&parser, gb_bytes_str("\x1b[1;"), note, &out);
    input_expired(&parser, note, &out);
    input_feed(&parser, gb_bytes_str("\x1b["), note, &out);
    input_expired(&parser, note, &out);
    input_feed(&parser, gb_bytes_str("x"), note, &out);
    /* Half a sequence is no text; "ESC [" alone is Meta and a bracket. */
    ck_assert_str_eq(gb_buf_str(&out), "Esc M-[ x");
    gb_buf_release(&out);
    input_release(&parser);
}
END_TEST

START_TEST(what_is_too_long_is_dropped_to_its_end)
{
    struct input_parser parser = {0};
    struct gb_buf out = {0}, bytes = {0};

    gb_buf_adds(&bytes, "\x1b]52;c;");
    for (int i = 0; i < 5000; i++)
        gb_buf_adds(&bytes, "A");
    gb_buf_adds(&bytes, "\x07x\x1b[");
    for (int i = 0; i < 5000; i++)
        gb_buf_adds(&bytes, "1");
    gb_buf_adds(&bytes, "~y");
    input_feed(&parser, gb_buf_bytes(&bytes), note, &out);
    ck_assert_str_eq(gb_buf_str(&out), "x y");
    gb_buf_release(&out);
    gb_buf_release(&bytes);
    input_release(&parser);
}
END_TEST

START_TEST(a_paste_without_an_end_ends)
{
    struct input_parser parser = {0};
    struct gb_buf out = {0};

    input_feed(&parser, gb_bytes_str("\x1b[200~half\x1b[20"), note, &out);
    ck_assert_uint_eq(input_waiting(&parser), INPUT_PASTE_MS);
    input_expired(&parser, note, &out);
    ck_assert_str_eq(gb_buf_str(&out), "paste(half\x1b[20)");
    gb_buf_release(&out);
    input_release(&parser);
}
END_TEST

START_TEST(names_of_keys)
{
    static const char *const names[] = {"a",     "C-x",  "M-f", "F12", "Space",   "Enter", "S-Tab",
                                        "C-M-a", "PgUp", "ö",   "-",   "C-Space", "C-]",   "."};
    char name[KEY_NAME_MAX];
    struct key key;

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        ck_assert_msg(key_parse(gb_bytes_str(names[i]), &key), "%s", names[i]);
        key_text(key, name);
        ck_assert_str_eq(name, names[i]);
    }
    ck_assert(!key_parse(gb_bytes_str(""), &key));
    ck_assert(!key_parse(gb_bytes_str("ab"), &key));
    ck_assert(!key_parse(gb_bytes_str("S-a"), &key));
    ck_assert(!key_parse(gb_bytes_str("\x01"), &key));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("input");
    TCase *tests = tcase_create("parser");

    tcase_add_loop_test(tests, events, 0, (int)ARRAY_SIZE(cases));
    tcase_add_test(tests, a_lone_escape_waits);
    tcase_add_test(tests, what_is_too_long_is_dropped_to_its_end);
    tcase_add_test(tests, a_paste_without_an_end_ends);
    tcase_add_test(tests, names_of_keys);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}

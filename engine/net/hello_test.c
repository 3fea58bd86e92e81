/* SPDX-License-Identifier: Apache-2.0 */
#include "net/hello.h"

#include <string.h>

#include "base/mem.h"
#include "check_run.h"

/* A ClientHello as the fields of RFC 8446 say; @extensions as they go over the wire. */
static struct gb_buf make_hello(const void *extensions, size_t size)
{
    struct gb_buf body = {0}, hello = {0};
    uint8_t random[32] = {0};
    const uint8_t head[] = {3, 3}, rest[] = {0, 0, 2, 0x13, 0x01, 1, 0};
    uint8_t length[2] = {(uint8_t)(size >> 8), (uint8_t)size};
    size_t whole;

    gb_buf_add(&body, head, sizeof(head));
    gb_buf_add(&body, random, sizeof(random));
    gb_buf_add(&body, rest, sizeof(rest));
    gb_buf_add(&body, length, sizeof(length));
    gb_buf_add(&body, extensions, size);
    whole = body.size + 4;
    gb_buf_add(&hello, (uint8_t[]){22, 3, 1, (uint8_t)(whole >> 8), (uint8_t)whole}, 5);
    gb_buf_add(&hello, (uint8_t[]){1, 0, (uint8_t)(body.size >> 8), (uint8_t)body.size}, 4);
    gb_buf_add(&hello, gb_buf_data(&body), body.size);
    gb_buf_release(&body);
    return hello;
}

/* The same message in records of @piece bytes. */
static struct gb_buf cut_records(const struct gb_buf *hello, size_t piece)
{
    struct gb_buf cut = {0};

    for (size_t at = 5; at < hello->size; at += piece) {
        size_t size = MIN(piece, hello->size - at);

        gb_buf_add(&cut, (uint8_t[]){22, 3, 1, (uint8_t)(size >> 8), (uint8_t)size}, 5);
        gb_buf_add(&cut, gb_buf_data(hello) + at, size);
    }
    return cut;
}

static const uint8_t named[] = "\x00\x17\x00\x00" /* extended master secret */
                               "\x00\x00\x00\x10\x00\x0e\x00\x00\x0b"
                               "Example.com";

START_TEST(the_name_is_found_in_any_pieces)
{
    struct gb_buf hello = make_hello(named, sizeof(named) - 1);
    char name[GB_HOST_NAME_MAX + 1];

    for (size_t piece = 1; piece <= hello.size; piece++) {
        struct gb_buf cut = cut_records(&hello, piece);

        for (size_t size = 0; size < cut.size; size++)
            ck_assert_int_eq(gb_hello_read((struct gb_bytes){gb_buf_data(&cut), size}, name),
                             GB_HELLO_MORE);
        ck_assert_int_eq(gb_hello_read(gb_buf_bytes(&cut), name), GB_HELLO_NAMED);
        ck_assert_str_eq(name, "example.com");
        gb_buf_release(&cut);
    }
    gb_buf_release(&hello);
}
END_TEST

START_TEST(what_is_wrong_is_bad_and_what_is_not_there_unnamed)
{
    static const struct {
        const char *bytes;
        size_t size;
        enum gb_hello_verdict verdict;
    } cases[] = {
        {"", 0, GB_HELLO_UNNAMED},
        {"\x00\x17\x00\x00", 4, GB_HELLO_UNNAMED},
        {"\x00\x00\x00\x06\x00\x04\x00\x00\x01"
         "a",
         10, GB_HELLO_NAMED},
        {"\x00\x00\x00\x06\x00\x04\x01\x00\x01"
         "a",
         10, GB_HELLO_BAD}, /* another kind */
        {"\x00\x00\x00\x06\x00\x04\x00\x00\x01"
         "/",
         10, GB_HELLO_BAD},
        {"\x00\x00\x00\x07\x00\x04\x00\x00\x01"
         "ab",
         11, GB_HELLO_BAD},
        {"\x00\x00\x00\x00", 4, GB_HELLO_BAD},
        {"\x00\x00\x00\x06\x00\x04\x00\x00\x01"
         "a\x00\x00\x00\x06\x00\x04\x00\x00\x01"
         "b",
         20, GB_HELLO_BAD}, /* twice */
        {"\x00\x17\x00\x01", 4, GB_HELLO_BAD},
        {"\x00", 1, GB_HELLO_BAD},
    };
    char name[GB_HOST_NAME_MAX + 1];

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct gb_buf hello = make_hello(cases[i].bytes, cases[i].size);

        ck_assert_msg(gb_hello_read(gb_buf_bytes(&hello), name) == cases[i].verdict, "case %zu", i);
        gb_buf_release(&hello);
    }
    ck_assert_int_eq(gb_hello_read(gb_bytes_str("GET / HTTP/1.1\r\n"), name), GB_HELLO_BAD);
    ck_assert_int_eq(gb_hello_read(gb_bytes_str("SSH-2.0-x\r\n"), name), GB_HELLO_BAD);
    ck_assert_int_eq(
        gb_hello_read((struct gb_bytes){(const uint8_t *)"\x16\x03\x01\x00\x01\x02", 6}, name),
        GB_HELLO_BAD); /* a ServerHello */
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hello");
    TCase *tests = tcase_create("all");

    tcase_add_test(tests, the_name_is_found_in_any_pieces);
    tcase_add_test(tests, what_is_wrong_is_bad_and_what_is_not_there_unnamed);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "parse/dns.h"

#include <string.h>

#include "base/mem.h"
#include "check_run.h"

/* id, flags, counts, then the question. */
#define HEAD "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"
#define QUESTION                                                                                   \
    "\x03wWw\x07"                                                                                  \
    "example\x00\x00\x01\x00\x01"
static const char query_bytes[] = HEAD QUESTION;

static struct gb_bytes bytes_of(const char *text, size_t size)
{
    return (struct gb_bytes){(const uint8_t *)text, size};
}

START_TEST(a_query_is_read)
{
    struct dns_query query;

    ck_assert_int_eq(dns_read(bytes_of(query_bytes, sizeof(query_bytes) - 1), &query), DNS_OK);
    ck_assert_str_eq(query.name, "www.example");
    ck_assert_uint_eq(query.type, DNS_TYPE_A);
    ck_assert_uint_eq(query.id, 0x1234);
    ck_assert_uint_eq(query.size, sizeof(query_bytes) - 1);
}
END_TEST

START_TEST(what_is_wrong_gets_a_code_or_no_answer)
{
    static const struct {
        const char *text;
        size_t size;
        int code;
    } cases[] = {
        {HEAD, 11, -1},
        {"\x12\x34\x81\x00\x00\x01\x00\x00\x00\x00\x00\x00" QUESTION, 29, -1}, /* an answer */
        {"\x12\x34\x09\x00\x00\x01\x00\x00\x00\x00\x00\x00" QUESTION, 29, DNS_NOT_KNOWN},
        {"\x12\x34\x01\x00\x00\x02\x00\x00\x00\x00\x00\x00" QUESTION, 29, DNS_FORMAT},
        {HEAD "\xc0\x0c\x00\x01\x00\x01", 18, DNS_FORMAT}, /* a name that points to itself */
        {HEAD "\x40" QUESTION, 30, DNS_FORMAT},
        {HEAD "\x01\x00\x00\x00\x01\x00\x01", 19, DNS_FORMAT}, /* a NUL in a label */
        {HEAD "\x03wWw\x07"
              "exam",
         21, DNS_FORMAT},
        {HEAD "\x01"
              "a\x00\x00\x01\x00\x03",
         19, DNS_REFUSED},                         /* another class */
        {HEAD "\x00\x00\x02\x00\x01", 17, DNS_OK}, /* the root */
    };
    struct dns_query query;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        ck_assert_msg(dns_read(bytes_of(cases[i].text, cases[i].size), &query) == cases[i].code,
                      "case %zu", i);
}
END_TEST

START_TEST(names_have_their_limit)
{
    char message[400] = HEAD;
    struct dns_query query;
    size_t at = 12;

    for (int i = 0; i < 4; i++) {
        size_t label = i < 3 ? 63 : 61;

        message[at++] = (char)label;
        memset(message + at, 'a', label);
        at += label;
    }
    memcpy(message + at, "\0\0\1\0\1", 5);
    ck_assert_int_eq(dns_read(bytes_of(message, at + 5), &query), DNS_OK);
    ck_assert_uint_eq(strlen(query.name), GB_HOST_NAME_MAX);
    message[12 + 3 * 64] = 62;
    message[at++] = 'a';
    memcpy(message + at, "\0\0\1\0\1", 5);
    ck_assert_int_eq(dns_read(bytes_of(message, at + 5), &query), DNS_FORMAT);
}
END_TEST

START_TEST(answers_repeat_the_question)
{
    static const uint8_t address[4] = {198, 18, 0, 2};
    static const char expected[] =
        "\x12\x34\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00" QUESTION
        "\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x1e\x00\x04\xc6\x12\x00\x02";
    static const char none[] = "\x12\x34\x81\x83\x00\x01\x00\x00\x00\x00\x00\x00" QUESTION;
    struct gb_bytes message = bytes_of(query_bytes, sizeof(query_bytes) - 1);
    struct dns_query query;
    uint8_t answer[DNS_MAX];

    ck_assert_int_eq(dns_read(message, &query), DNS_OK);
    ck_assert_uint_eq(dns_answer(message, &query, DNS_OK, address, 30, answer),
                      sizeof(expected) - 1);
    ck_assert_mem_eq(answer, expected, sizeof(expected) - 1);
    ck_assert_uint_eq(dns_answer(message, &query, DNS_NO_NAME, NULL, 0, answer), sizeof(none) - 1);
    ck_assert_mem_eq(answer, none, sizeof(none) - 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("dns");
    TCase *tests = tcase_create("all");

    tcase_add_test(tests, a_query_is_read);
    tcase_add_test(tests, what_is_wrong_gets_a_code_or_no_answer);
    tcase_add_test(tests, names_have_their_limit);
    tcase_add_test(tests, answers_repeat_the_question);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}

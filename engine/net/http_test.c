/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http.h"

#include <string.h>

#include "base/mem.h"
#include "check_run.h"

/* Feeds @text in pieces of @piece bytes; whether all of it was taken, and nothing held back. */
static bool feed(const char *text, size_t piece, struct gb_buf *pass)
{
    struct gb_http http = {.name = "app.example", .port = 80};
    size_t size = strlen(text);
    bool good = true;

    gb_buf_clear(pass);
    for (size_t at = 0; good && at < size; at += piece)
        good = gb_http_feed(
            &http, (struct gb_bytes){(const uint8_t *)text + at, MIN(piece, size - at)}, pass);
    ck_assert(good == (http.refused == NULL));
    good = good && pass->size == size && memcmp(gb_buf_data(pass), text, size) == 0;
    gb_http_release(&http);
    return good;
}

#define HOST "Host: app.example\r\n"

START_TEST(requests_for_the_name_pass_as_they_are)
{
    static const char *const good[] = {
        "GET / HTTP/1.1\r\n" HOST "\r\n",
        "GET / HTTP/1.1\r\nhOsT:\tAPP.example.:80 \r\n\r\n",
        "GET http://app.example/x HTTP/1.1\r\n" HOST "\r\n",
        "GET http://app.example:80?q HTTP/1.1\r\n" HOST "\r\n",
        "OPTIONS * HTTP/1.1\r\n" HOST "\r\n",
        "GET /a HTTP/1.1\r\n" HOST "\r\nGET /b HTTP/1.1\r\n" HOST "X: y\r\n\r\n",
        "POST /a HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nHost:GET /b HTTP/1.0\r\n" HOST "\r\n",
        "POST /a HTTP/1.1\r\n" HOST "Transfer-Encoding: Chunked\r\n\r\n5\r\nabcde\r\nA\r\n"
        "0123456789\r\n0\r\n\r\nGET /b HTTP/1.1\r\n" HOST "\r\n",
        "POST /a HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\nGET /b HTTP/1.1\r\n" HOST "\r\n",
    };
    struct gb_buf pass = {0};

    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        for (size_t piece = 1; piece <= strlen(good[i]); piece++)
            ck_assert_msg(feed(good[i], piece, &pass), "case %zu in pieces of %zu", i, piece);
    }
    gb_buf_release(&pass);
}
END_TEST

START_TEST(others_are_refused_and_their_heads_held_back)
{
    static const char *const wrong[] = {
        "GET / HTTP/1.1\r\nHost: other.example\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: app.example:81\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: app.example, other.example\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a@app.example\r\n\r\n",
        "GET / HTTP/1.1\r\n" HOST HOST "\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "GET http://other.example/ HTTP/1.1\r\n" HOST "\r\n",
        "GET https://app.example/ HTTP/1.1\r\n" HOST "\r\n",
        "GET http://app.example@other.example/ HTTP/1.1\r\n" HOST "\r\n",
        "CONNECT app.example:80 HTTP/1.1\r\n" HOST "\r\n",
        "GET / HTTP/2.0\r\n" HOST "\r\n",
        "GET  / HTTP/1.1\r\n" HOST "\r\n",
        "GET /\r\n" HOST "\r\n",
        "GET / HTTP/1.1\n" HOST "\r\n",
        "GET / HTTP/1.1\r\nHost: app.example\n\n",
        "GET / HTTP/1.1\r\n" HOST " folded\r\n\r\n",
        "GET / HTTP/1.1\r\n" HOST "X : y\r\n\r\n",
        "GET / HTTP/1.1\r\n" HOST "X: a\rHost: other.example\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nContent-Length: 1\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST "Content-Length: +1\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: xchunked\r\n\r\n",
        "POST / HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "\nGET / HTTP/1.1\r\n" HOST "\r\n",
        "\r\r\nGET / HTTP/1.1\r\n" HOST "\r\n",
        " GET / HTTP/1.1\r\n" HOST "\r\n",
        "GET / HTTP/1.1\r\n folded\r\n" HOST "\r\n",
        "GET / HTTP/1.1\r\n\t" HOST "\r\n",
        "GET / HTTP/1.1\r\nX: a\r\n\tHost: app.example\r\n" HOST "\r\n",
        "GET / HTTP/1.1\r\n" HOST "X: a\nTransfer-Encoding: chunked\r\n\r\n",
        "GET /\rHost: app.example HTTP/1.1\r\n" HOST "\r\n",
        "GET /\tx HTTP/1.1\r\n" HOST "\r\n",
        "GET / x HTTP/1.1\r\n" HOST "\r\n",
        "GET / HTTP/1.1 \r\n" HOST "\r\n",
        "GET / http/1.1\r\n" HOST "\r\n",
        "GET / HTTP/1.10\r\n" HOST "\r\n",
        "GET / HTTP/0.9\r\n" HOST "\r\n",
        "G@T / HTTP/1.1\r\n" HOST "\r\n",
        "GET * HTTP/1.1\r\n" HOST "\r\n",
        "GET app.example:80 HTTP/1.1\r\n" HOST "\r\n",
        "connect app.example:80 HTTP/1.1\r\n" HOST "\r\n",
        "GET http://app.example\\@other.example/ HTTP/1.1\r\n" HOST "\r\n",
        "GET http:///x HTTP/1.1\r\n" HOST "\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "GET / HTTP/1.1\r\n" HOST ": y\r\n\r\n",
        "GET / HTTP/1.1\r\n" HOST "no colon\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: app.example\r\nHost:\r\n\r\n",
        "GET / HTTP/1.1\r\nHost:\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST "Content-Length: 1, 1\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST "Content-Length: -1\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST "Content-Length: 0x1\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST "Content-Length: 1 1\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST "Content-Length: 9223372036854775808\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked, identity\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: \"chunked\"\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: \x0b"
        "chunked\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding:\r\n chunked\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding : chunked\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: identity\r\n\r\n",
        "\x16\x03\x01 not HTTP\r\n\r\n",
    };
    struct gb_buf pass = {0};

    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        for (size_t piece = 1; piece <= strlen(wrong[i]); piece += 7) {
            ck_assert_msg(!feed(wrong[i], piece, &pass), "case %zu in pieces of %zu", i, piece);
            ck_assert_msg(pass.size == 0, "case %zu: %zu bytes passed", i, pass.size);
        }
    }
    gb_buf_release(&pass);
}
END_TEST

START_TEST(the_second_request_is_looked_at_like_the_first)
{
    static const char *const wrong[] = {
        "GET / HTTP/1.1\r\n" HOST "\r\nGET / HTTP/1.1\r\nHost: other.example\r\n\r\n",
        "GET / HTTP/1.1\r\n" HOST "\r\n\r\nGET / HTTP/1.1\r\nHost: x.y\r\n\r\n",
        /* An upgrade may have been agreed on: what follows is no HTTP/1.1. */
        "GET / HTTP/1.1\r\n" HOST "Upgrade: h2c\r\n\r\nPRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "GET / HTTP/1.1\r\n" HOST "Upgrade: websocket\r\n\r\n\x81\x85mask.....\n\r\n",
        "GET / HTTP/1.1\r\n" HOST "\r\nbody that no length tells of\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST
        "Content-Length: 3\r\n\r\nabcGET / HTTP/1.1\r\nHost: x.y\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n"
        "Host: x.y\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n1;x=y\r\na\r\n",
        "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
        "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n1\na\r\n",
        "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n1\r\na\n",
        "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n1\rx\r\na\r\n",
        "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n1 \r\na\r\n",
        "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n",
        "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n-1\r\na\r\n",
        "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\nX: y\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\n",
        "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\nHost: x.y\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n",
    };
    struct gb_buf pass = {0};

    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        ck_assert_msg(!feed(wrong[i], 4, &pass), "case %zu", i);
        ck_assert(pass.size > 0);
        ck_assert_ptr_null(memmem(gb_buf_data(&pass), pass.size, "x.y", 3));
    }
    gb_buf_release(&pass);
}
END_TEST

/* As some clients send it after a body. */
START_TEST(empty_lines_before_a_request_are_left_out)
{
    static const char text[] = "\r\nPOST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\na\r\n\r\n"
                               "GET / HTTP/1.1\r\n" HOST "\r\n";

    for (size_t piece = 1; piece <= strlen(text); piece++) {
        struct gb_buf pass = {0};

        ck_assert(!feed(text, piece, &pass)); /* not as it is */
        ck_assert_str_eq(gb_buf_str(&pass), "POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\na"
                                            "GET / HTTP/1.1\r\n" HOST "\r\n");
        gb_buf_release(&pass);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("http");
    TCase *tests = tcase_create("all");

    tcase_add_test(tests, requests_for_the_name_pass_as_they_are);
    tcase_add_test(tests, others_are_refused_and_their_heads_held_back);
    tcase_add_test(tests, the_second_request_is_looked_at_like_the_first);
    tcase_add_test(tests, empty_lines_before_a_request_are_left_out);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}

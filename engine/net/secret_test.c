/* SPDX-License-Identifier: Apache-2.0 */
#include "net/secret.h"

#include <string.h>

#include "base/mem.h"
#include "check_run.h"

static struct gb_secret secret_parsed(const char *name, const char *text)
{
    struct gb_secret secret;
    struct gb_err err = {0};

    ck_assert_msg(gb_secret_parse(&secret, name, gb_bytes_str(text), &err) == 0, "%s", err.message);
    return secret;
}

START_TEST(all_lines)
{
    struct gb_secret secret = secret_parsed(
        "KEY", "# one\n command  gh auth token  --x # not a comment \nhosts A.example. "
               "*.b.example # here\nplace header X-Key\nvariable OTHER\nexpires 50m\n"
               "trust /etc/a b.pem\n");
    struct gb_buf place = {0};

    ck_assert_int_eq(secret.source, GB_SECRET_COMMAND);
    ck_assert_str_eq(secret.origin, "gh auth token  --x # not a comment");
    ck_assert_uint_eq(secret.host_count, 2);
    ck_assert(gb_secret_covers(&secret, "a.example") && gb_secret_covers(&secret, "x.b.example"));
    ck_assert(!gb_secret_covers(&secret, "b.example") && !gb_secret_covers(&secret, "x.a.example"));
    ck_assert_str_eq(secret.variable, "OTHER");
    ck_assert_uint_eq(secret.expires_ms, 50 * 60000);
    ck_assert_str_eq(secret.trust, "/etc/a b.pem");
    gb_secret_write_place(&secret, &place);
    ck_assert_str_eq(gb_buf_str(&place), "header X-Key");
    gb_buf_release(&place);
    gb_secret_release(&secret);
}
END_TEST

START_TEST(wrong_ones_are_named)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"", "it needs a line `file, env or command`"},
        {"file /x\n", "it needs a line `hosts`"},
        {"file /x\nhosts a.b\n", "it needs a line `place`"},
        {"file x\n", "line 1: this is no absolute path"},
        {"env\n", "line 1: this is no absolute path"},
        {"file /x\nenv Y\n", "line 2: the value comes from one place only"},
        {"hosts 127.0.0.1\n", "line 1: this is not the name of a host"},
        {"hosts *\n", "line 1: this is not the name of a host"},
        {"place cookie\n", "line 1: this is none of bearer"},
        {"place header\n", "line 1: this is not the name of a header field"},
        {"place header a:b\n", "line 1: this is not the name of a header field"},
        {"place header hoSt\n", "line 1: no secret belongs there"},
        {"place bearer x\n", "line 1: this place takes no name"},
        {"place bearer\nplace basic\n", "line 2: a secret has one place"},
        {"expires 5\n", "line 1: this is not a time"},
        {"expires 0s\n", "line 1: this is not a time"},
        {"expires 400d\n", "line 1: this is not a time"},
        {"variable 1A\n", "line 1: this is not the name of a variable"},
        {"value abc\n", "line 1: a line begins with"},
        {"variable A B\n", "line 1: there is more"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct gb_secret secret;
        struct gb_err err = {0};

        ck_assert_int_eq(gb_secret_parse(&secret, "KEY", gb_bytes_str(cases[i].text), &err),
                         -GB_EINVALID);
        ck_assert_msg(strstr(err.message, cases[i].why) != NULL, "case %zu: %s", i, err.message);
        gb_secret_release(&secret);
    }
}
END_TEST

/* Whether a session can have secrets with these lines. */
static bool secret_both(const char *a, const char *b)
{
    _cleanup_(freep) char *text_a = xasprintf("file /x\n%s", a),
                          *text_b = xasprintf("file /x\n%s", b);
    struct gb_secret one = secret_parsed("ONE", text_a), two = secret_parsed("TWO", text_b);
    int r = gb_secret_check_both(&one, &two, NULL), back = gb_secret_check_both(&two, &one, NULL);

    ck_assert_int_eq(r, back);
    gb_secret_release(&one);
    gb_secret_release(&two);
    return r == 0;
}

START_TEST(one_secret_for_a_place)
{
    ck_assert(!secret_both("hosts a.b\nplace bearer", "hosts a.b\nplace basic"));
    ck_assert(!secret_both("hosts a.b\nplace bearer", "hosts a.b\nplace header AUTHORIZATION"));
    ck_assert(!secret_both("hosts a.b\nplace header X-a", "hosts *.b\nplace header x-A"));
    ck_assert(!secret_both("hosts *.a.b\nplace query k", "hosts *.b\nplace query k"));
    ck_assert(!secret_both("hosts *.b\nplace query k", "hosts *.b\nplace query k"));
    ck_assert(
        !secret_both("hosts a.b\nplace bearer\nvariable V", "hosts c.b\nplace bearer\nvariable V"));
    ck_assert(secret_both("hosts a.b\nplace bearer", "hosts c.b\nplace bearer"));
    ck_assert(secret_both("hosts a.b\nplace bearer", "hosts *.a.b\nplace bearer"));
    ck_assert(secret_both("hosts a.b\nplace query k", "hosts a.b\nplace query K"));
    ck_assert(secret_both("hosts a.b\nplace query k", "hosts a.b\nplace header k"));
    ck_assert(secret_both("hosts *.a.c\nplace bearer", "hosts *.b.c\nplace bearer"));
}
END_TEST

START_TEST(one_trust_for_a_host)
{
    ck_assert(!secret_both("hosts a.b\nplace bearer\ntrust /x", "hosts a.b\nplace query k"));
    ck_assert(!secret_both("hosts a.b\nplace bearer", "hosts c.d *.b\nplace query k\ntrust /x"));
    ck_assert(
        !secret_both("hosts *.b\nplace bearer\ntrust /x", "hosts a.b\nplace query k\ntrust /y"));
    ck_assert(
        secret_both("hosts *.b\nplace bearer\ntrust /x", "hosts a.b\nplace query k\ntrust /x"));
    ck_assert(secret_both("hosts a.b\nplace bearer\ntrust /x", "hosts c.b\nplace bearer"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("secret");
    TCase *tests = tcase_create("all");

    tcase_add_test(tests, all_lines);
    tcase_add_test(tests, wrong_ones_are_named);
    tcase_add_test(tests, one_secret_for_a_place);
    tcase_add_test(tests, one_trust_for_a_host);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "client/remote.h"

#include <string.h>

#include "check_run.h"
#include "base/mem.h"
#include "client/ssh.h"

static const struct {
    const char *url, *user, *name, *socket;
    unsigned port;
    const char *again; /* NULL: as it was */
} good[] = {
    {"ssh://h", "", "h", "", 0, NULL},
    {"ssh://h/", "", "h", "", 0, "ssh://h"},
    {"ssh://ann@build.example:65535", "ann", "build.example", "", 65535, NULL},
    {"ssh://a_b-c.d/run/a.sock", "", "a_b-c.d", "/run/a.sock", 0, NULL},
    {"ssh://ann%40corp@h/a%20b", "ann@corp", "h", "/a b", 0, NULL},
    {"ssh://h/tmp/$x", "", "h", "/tmp/$x", 0, "ssh://h/tmp/%24x"},
    {"ssh://[::1]:22", "", "::1", "", 22, NULL},
    {"ssh://[fe80::1%25eth0]", "", "fe80::1%eth0", "", 0, NULL},
};

START_TEST(addresses)
{
    struct gb_remote host;
    struct gb_buf text = {0};
    struct gb_err err = {0};

    ck_assert_msg(gb_remote_parse(gb_bytes_str(good[_i].url), &host, &err) == 0, "%s", err.message);
    ck_assert_str_eq(host.user, good[_i].user);
    ck_assert_str_eq(host.name, good[_i].name);
    ck_assert_str_eq(host.socket, good[_i].socket);
    ck_assert_uint_eq(host.port, good[_i].port);
    gb_remote_print(&text, &host);
    ck_assert_str_eq(gb_buf_str(&text), good[_i].again != NULL ? good[_i].again : good[_i].url);
    gb_buf_release(&text);
}
END_TEST

START_TEST(names_are_no_addresses)
{
    struct gb_remote host;
    struct gb_err err = {0};

    ck_assert(!gb_remote_is_url("build"));
    ck_assert(!gb_remote_is_url("SSH://h"));
    ck_assert(gb_remote_is_url("ssh://"));
    ck_assert_int_eq(gb_remote_parse(gb_bytes_str("build"), &host, &err), -GB_EINVALID);
    ck_assert_int_eq(
        gb_remote_parse((struct gb_bytes){(const uint8_t *)"ssh://a\0b", 9}, &host, &err),
        -GB_EINVALID);
}
END_TEST

/* What stands behind -- is a name, and then one word for the shell there. */
START_TEST(commands)
{
    const struct gb_ssh_config config = {.autostart = false};
    const char *argv[GB_SSH_ARGS_MAX];
    struct gb_buf buf = {0};
    struct gb_remote host;
    size_t at = 0;

    ck_assert_int_eq(gb_remote_parse(gb_bytes_str("ssh://u@h:7/a;b%20c"), &host, NULL), 0);
    gb_ssh_command(&host, &config, true, &buf, argv);
    ck_assert_str_eq(argv[0], "ssh");
    while (strcmp(argv[at], "--") != 0)
        at++;
    ck_assert_str_eq(argv[at - 4], "-p");
    ck_assert_str_eq(argv[at - 3], "7");
    ck_assert_str_eq(argv[at - 2], "-l");
    ck_assert_str_eq(argv[at - 1], "u");
    ck_assert_str_eq(argv[at + 1], "h");
    ck_assert_str_eq(argv[at + 2], "glassbell stdio --no-autostart --socket '/a;b c'");
    ck_assert_ptr_null(argv[at + 3]);
    gb_buf_release(&buf);
}
END_TEST

START_TEST(last_lines)
{
    static const struct {
        const char *text, *line;
    } rows[] = {
        {"", ""},
        {"\n\r\n", ""},
        {"one", "one"},
        {"one\ntwo\r\n \n", "two"},
        {"a\n\033[31mred\n", "\\x1b[31mred"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct gb_buf line = {0};

        gb_ssh_last_line((struct gb_bytes){(const uint8_t *)rows[i].text, strlen(rows[i].text)},
                         &line);
        ck_assert_str_eq(gb_buf_str(&line), rows[i].line);
        gb_buf_release(&line);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("remote");
    TCase *tests = tcase_create("all");

    tcase_add_loop_test(tests, addresses, 0, (int)ARRAY_SIZE(good));
    tcase_add_test(tests, names_are_no_addresses);
    tcase_add_test(tests, commands);
    tcase_add_test(tests, last_lines);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}

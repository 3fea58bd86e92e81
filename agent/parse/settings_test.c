/* SPDX-License-Identifier: Apache-2.0 */
#include "parse/settings.h"

#include "check_run.h"

static int check(const char *hostname, const char *machine_id)
{
    const struct gb_configure configure = {
        .hostname = gb_bytes_str(hostname),
        .machine_id = gb_bytes_str(machine_id),
    };

    return settings_check(&configure, NULL);
}

static int check_variable(struct gb_bytes name, struct gb_bytes value)
{
    struct gb_buf encoded = {0};
    struct gb_pairs env = {0};
    int r;

    gb_pairs_add(&encoded, &env.count, name, value);
    env.encoded = gb_buf_bytes(&encoded);
    r = settings_check_env(&env, NULL);
    gb_buf_release(&encoded);
    return r;
}

START_TEST(test_names)
{
    ck_assert_int_eq(check("", ""), 0);
    ck_assert_int_eq(check("box-7.local", "0123456789abcdef0123456789abcdef"), 0);
    ck_assert_int_eq(check("-box", ""), -GB_EINVALID);
    ck_assert_int_eq(check(".box", ""), -GB_EINVALID);
    ck_assert_int_eq(check("a b", ""), -GB_EINVALID);
    ck_assert_int_eq(check("a\nb", ""), -GB_EINVALID);
    ck_assert_int_eq(check("a123456789a123456789a123456789a123456789a123456789a123456789a123", ""),
                     -GB_EINVALID);
    ck_assert_int_eq(check("", "0123456789ABCDEF0123456789abcdef"), -GB_EINVALID);
    ck_assert_int_eq(check("", "0123"), -GB_EINVALID);
}
END_TEST

START_TEST(test_variables)
{
    const struct gb_bytes nul = {(const uint8_t *)"a\0b", 3};

    ck_assert_int_eq(check_variable(gb_bytes_str("A_b1"), gb_bytes_str("\xc3\xa9\t\n=")), 0);
    ck_assert_int_eq(check_variable(gb_bytes_str("_"), gb_bytes_str("")), 0);
    ck_assert_int_eq(check_variable(gb_bytes_str(""), gb_bytes_str("x")), -GB_EINVALID);
    ck_assert_int_eq(check_variable(gb_bytes_str("1A"), gb_bytes_str("x")), -GB_EINVALID);
    ck_assert_int_eq(check_variable(gb_bytes_str("A=B"), gb_bytes_str("x")), -GB_EINVALID);
    ck_assert_int_eq(check_variable(nul, gb_bytes_str("x")), -GB_EINVALID);
    ck_assert_int_eq(check_variable(gb_bytes_str("A"), nul), -GB_EINVALID);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("settings");
    TCase *all = tcase_create("all");

    tcase_add_test(all, test_names);
    tcase_add_test(all, test_variables);
    suite_add_tcase(suite, all);
    return check_run(suite);
}

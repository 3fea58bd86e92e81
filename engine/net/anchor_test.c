/* SPDX-License-Identifier: Apache-2.0 */
#include "net/anchor.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "check_run.h"

#define ONE "-----BEGIN CERTIFICATE-----\nAAAA\nBB==\n-----END CERTIFICATE-----\n"
#define TWO "-----BEGIN CERTIFICATE-----\nCCCC\n-----END CERTIFICATE-----\n"

static const struct {
    const char *text, *taken;
} texts[] = {
    {"", ""},
    {ONE, ONE},
    {"My own\n" ONE "\nsubject=x\n" TWO "trailing", ONE TWO},
    {"-----BEGIN CERTIFICATE-----\r\nCCCC  \r\n-----END CERTIFICATE-----\r\n", TWO},
    {ONE ONE TWO ONE, ONE TWO},
    {"-----BEGIN CERTIFICATE-----\n" TWO, TWO},
    {"-----BEGIN CERTIFICATE-----\nAAAA\n", ""},
    {"-----BEGIN CERTIFICATE-----\nA A\n-----END CERTIFICATE-----\n" TWO, TWO},
    {"-----BEGIN PRIVATE KEY-----\nCCCC\n-----END PRIVATE KEY-----\n", ""},
    {"CCCC\n-----END CERTIFICATE-----\n", ""},
};

START_TEST(certificates_of_a_text)
{
    struct gb_buf pem = {0};

    gb_anchors_take(gb_bytes_str(texts[_i].text), GB_ANCHORS_MAX, &pem);
    ck_assert_str_eq(gb_buf_str(&pem), texts[_i].taken);
    gb_buf_release(&pem);
}
END_TEST

START_TEST(those_that_do_not_fit_are_left_out)
{
    struct gb_buf pem = {0};

    gb_anchors_take(gb_bytes_str(ONE TWO), strlen(ONE) - 1, &pem);
    ck_assert_str_eq(gb_buf_str(&pem), TWO);
    gb_buf_release(&pem);
}
END_TEST

/* Also the configuration of package managers; a bundle that is too large is no addition. */
START_TEST(certificates_of_a_host)
{
    char path[] = "/tmp/glassbell-anchor-test-XXXXXX";
    _cleanup_(closep) int fd = mkstemp(path);
    struct gb_anchors anchors = {0};
    struct gb_buf large = {0};
    struct gb_bytes pem;

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(setenv("NODE_EXTRA_CA_CERTS", path, 1), 0);
    ck_assert_int_eq(unsetenv("PIP_CERT"), 0);
    ck_assert_int_eq(gb_fd_replace_file(path, gb_bytes_str(TWO), 0600, NULL), 0);
    for (int again = 0; again < 2; again++) {
        pem = gb_anchors_read(&anchors);
        ck_assert_ptr_nonnull(strstr(gb_buf_str(&anchors.pem), TWO));
        ck_assert_uint_le(pem.size, GB_ANCHORS_MAX);
    }
    ck_assert_int_eq(gb_fd_replace_file(path, gb_bytes_str(ONE TWO), 0600, NULL), 0);
    (void)gb_anchors_read(&anchors); /* it has changed */
    ck_assert_ptr_nonnull(strstr(gb_buf_str(&anchors.pem), ONE));
    while (large.size < 100000)
        gb_buf_adds(&large, TWO);
    ck_assert_int_eq(gb_fd_replace_file(path, gb_buf_bytes(&large), 0600, NULL), 0);
    (void)gb_anchors_read(&anchors);
    ck_assert_ptr_null(strstr(gb_buf_str(&anchors.pem), TWO));
    ck_assert_int_eq(unlink(path), 0);
    gb_anchors_release(&anchors);
    gb_buf_release(&large);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("anchor");
    TCase *tests = tcase_create("all");

    tcase_add_loop_test(tests, certificates_of_a_text, 0, (int)ARRAY_SIZE(texts));
    tcase_add_test(tests, those_that_do_not_fit_are_left_out);
    tcase_add_test(tests, certificates_of_a_host);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "log.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "check_run.h"

static char heard[64];
static unsigned heard_count;

static void on_heard(void *arg, enum gb_log_level level, const char *message)
{
    ck_assert_ptr_eq(arg, heard);
    ck_assert_int_eq(level, GB_LOG_INFO);
    (void)snprintf(heard, sizeof(heard), "%s", message);
    heard_count++;
}

static void *say_elsewhere(void *arg)
{
    gb_info("not %s", (const char *)arg);
    return NULL;
}

/* One loop must not run what belongs to another. */
START_TEST(a_tap_hears_its_own_thread)
{
    char name[] = "this";
    pthread_t thread;

    gb_log_open(-1, GB_LOG_ERROR);
    gb_log_tap(on_heard, heard);
    gb_info("%s", name);
    gb_debug("too little");
    ck_assert_int_eq(pthread_create(&thread, NULL, say_elsewhere, name), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert_str_eq(heard, "this");
    ck_assert_uint_eq(heard_count, 1);
    gb_log_tap(NULL, NULL);
    gb_info("nobody hears it");
    ck_assert_uint_eq(heard_count, 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("log");
    TCase *tests = tcase_create("log");

    tcase_add_test(tests, a_tap_hears_its_own_thread);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}

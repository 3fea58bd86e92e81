/* SPDX-License-Identifier: Apache-2.0 */
/* What the host tells of itself. */
#include "platform/system.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check_run.h"
#include "base/clock.h"
#include "base/mem.h"
#include "platform/thread.h"

START_TEST(the_host_is_described)
{
    _cleanup_(freep) char *boot = gb_system_boot_id(), *again = gb_system_boot_id();
    _cleanup_(freep) char *plain = gb_system_describe(false), *full = gb_system_describe(true);
    uint64_t pages = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    struct gb_err err = {0};

    ck_assert_str_eq(boot, again);
    ck_assert_ptr_null(strchr(boot, '\n'));
    ck_assert_int_eq(strncmp(full, plain, strlen(plain)), 0);
    ck_assert_uint_gt(strlen(full), strlen(plain));
    ck_assert_uint_ge(gb_system_memory_total(), pages / 2);
    ck_assert_uint_le(gb_system_memory_total(), pages * 2);
    ck_assert_uint_gt(gb_system_memory_available(), 0);
    ck_assert_uint_le(gb_system_memory_available(), gb_system_memory_total());
    ck_assert_str_eq(gb_system_accelerator(), "kvm");
    if (gb_system_open_accelerator(&err) < 0)
        ck_assert_int_eq(strncmp(err.message, "/dev/kvm: ", 10), 0);
}
END_TEST

START_TEST(a_wait_ends_by_the_clock)
{
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t condition;
    uint64_t until_ns = gb_clock_mono_ns() + 5 * GB_NS_PER_MS;

    gb_condition_init(&condition);
    ck_assert_int_eq(pthread_mutex_lock(&lock), 0);
    while (gb_clock_mono_ns() < until_ns) /* hangs when it waits by another clock */
        gb_condition_wait_until(&condition, &lock, until_ns);
    ck_assert_int_eq(pthread_mutex_unlock(&lock), 0);
    ck_assert_int_eq(pthread_cond_destroy(&condition), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("system");
    TCase *tests = tcase_create("system");

    tcase_add_test(tests, the_host_is_described);
    tcase_add_test(tests, a_wait_ends_by_the_clock);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}

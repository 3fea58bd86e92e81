/* SPDX-License-Identifier: Apache-2.0 */
/* What is remembered of accelerators. */
#include "vm/accel.h"

#include <stdlib.h>
#include <string.h>

#include "check_run.h"
#include "base/mem.h"

START_TEST(believes_no_strange_memory)
{
    static const char *const bad[] = {
        "[",
        "{}",
        "{\"format\":1,\"key\":\"k\",\"boot\":\"b\",\"accel\":\"kvm\",\"reason\":\"r\"}",
        "{\"format\":2,\"key\":\"k\",\"boot\":\"b\",\"accel\":\"unknown\",\"reason\":\"r\"}",
        "{\"format\":2,\"key\":\"k\",\"boot\":\"b\",\"accel\":\"kvm\"}",
        "{\"format\":2,\"key\":1,\"boot\":\"b\",\"accel\":\"kvm\",\"reason\":\"r\"}",
        "{\"format\":2,\"key\":\"k\",\"accel\":\"kvm\",\"reason\":\"r\"}",
    };
    struct accel_memory memory = {GB_ACCEL_KVM, (char[]){"k"}, (char[]){"b"},
                                  (char[]){"it \"is\""}};
    struct accel_memory again;
    struct gb_buf text = {0};

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        ck_assert_msg(!accel_parse(gb_bytes_str(bad[i]), &again), "%s", bad[i]);
    accel_format(&memory, &text);
    ck_assert(accel_parse(gb_buf_bytes(&text), &again));
    ck_assert_str_eq(again.reason, "it \"is\"");
    ck_assert_str_eq(again.key, "k");
    gb_buf_release(&text);
    accel_release(&again);

    ck_assert(accel_holds(&memory, "k", "another", GB_ACCEL_UNKNOWN));
    ck_assert(accel_holds(&memory, "k", "", GB_ACCEL_KVM));
    ck_assert(!accel_holds(&memory, "other", "b", GB_ACCEL_UNKNOWN));
    memory.accel = GB_ACCEL_TCG;
    ck_assert(accel_holds(&memory, "k", "b", GB_ACCEL_UNKNOWN));
    ck_assert(!accel_holds(&memory, "k", "b", GB_ACCEL_KVM));
    ck_assert(!accel_holds(&memory, "k", "another", GB_ACCEL_UNKNOWN));
    memory.boot = (char[]){""};
    ck_assert(!accel_holds(&memory, "k", "", GB_ACCEL_UNKNOWN));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("accel");
    TCase *tests = tcase_create("accel");

    tcase_add_test(tests, believes_no_strange_memory);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}

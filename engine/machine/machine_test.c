/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of machines and accelerators: complete, found by their names, and told apart. */
#include "machine/machine.h"

#include <stdlib.h>
#include <string.h>

#include "check_run.h"
#include "base/mem.h"
#include "machine/counter.h"
#include "machine/crc32c.h"

static const struct gb_machine *const all[] = {&gb_machine_microvm, &gb_machine_virt};

START_TEST(machines_are_complete)
{
    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        const struct gb_machine *machine = all[i];

        ck_assert_ptr_eq(gb_machine_find(machine->architecture), machine);
        ck_assert_ptr_eq(gb_machine_find(machine->debian), machine);
        ck_assert(gb_machine_can_use(machine, GB_ACCEL_TCG));
        ck_assert(gb_machine_can_use(machine, GB_ACCEL_KVM) == (machine == gb_machine_native()));
        ck_assert(gb_machine_can_use(machine, GB_ACCEL_HVF) == (machine == gb_machine_native()));
        ck_assert_ptr_nonnull(strstr(machine->qemu, machine->architecture));
        ck_assert((machine->firmware == NULL) == (machine->firmware_package == NULL));
        for (enum gb_accel accel = GB_ACCEL_UNKNOWN + 1; accel < GB_ACCEL_COUNT; accel++)
            ck_assert_ptr_nonnull(machine->cpu_model[accel]);
        for (size_t j = 0; j < machine->cpu_rule_count; j++) {
            ck_assert_uint_ne(machine->cpu_rules[j].accels, 0);
            ck_assert_uint_gt(strlen(machine->cpu_rules[j].feature.why), 10);
        }
    }
    ck_assert_ptr_null(gb_machine_find("riscv64"));
    ck_assert_ptr_null(gb_machine_find(""));
    ck_assert_ptr_nonnull(gb_machine_native());
}
END_TEST

START_TEST(machines_are_named_in_a_sentence)
{
    struct gb_buf names = {0};

    gb_machine_add_names(&names);
    ck_assert_str_eq(gb_buf_str(&names), "x86_64 (amd64) or aarch64 (arm64)");
    gb_buf_release(&names);
}
END_TEST

START_TEST(accelerators_have_names)
{
    for (enum gb_accel accel = GB_ACCEL_UNKNOWN + 1; accel < GB_ACCEL_COUNT; accel++) {
        const char *name = gb_accel_name(accel);

        ck_assert_int_eq(gb_accel_find(name), accel);
        ck_assert_int_eq(strncmp(gb_accel_option(accel), name, strlen(name)), 0);
        ck_assert_uint_gt(strlen(gb_accel_title(accel)), 0);
        ck_assert_int_eq(gb_accel_is_hardware(accel), accel != GB_ACCEL_TCG);
    }
    ck_assert_int_eq(gb_accel_find("unknown"), GB_ACCEL_UNKNOWN);
    ck_assert_int_eq(gb_accel_find("KVM"), GB_ACCEL_UNKNOWN);
    ck_assert_str_eq(gb_accel_name(GB_ACCEL_COUNT), "unknown");
    ck_assert(!gb_accel_is_hardware(GB_ACCEL_UNKNOWN));
    ck_assert_uint_gt(gb_accel_memory_mb(GB_ACCEL_TCG), 0);
    ck_assert_uint_eq(gb_accel_memory_mb(GB_ACCEL_KVM), 0);
}
END_TEST

static void check_option(const struct gb_machine *machine, const char *option, bool expected)
{
    struct gb_buf line = {0};
    char *word = xasprintf(" %s ", option);

    gb_buf_adds(&line, " ");
    gb_machine_add_kernel_options(&line, machine);
    ck_assert_msg((strstr(gb_buf_str(&line), word) != NULL) == expected, "%s: %s", option,
                  gb_buf_str(&line));
    gb_buf_release(&line);
    free(word);
}

START_TEST(kernels_are_told_what_they_know)
{
    check_option(&gb_machine_microvm, "console=ttyS0", true);
    check_option(&gb_machine_microvm, "tsc=reliable", true);
    check_option(&gb_machine_virt, "console=ttyAMA0", true);
    check_option(&gb_machine_virt, "console=ttyS0", false);
    check_option(&gb_machine_virt, "tsc=reliable", false);
    check_option(&gb_machine_virt, "reboot=t", false);
    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        check_option(all[i], "panic=-1", true);
        check_option(all[i], "init_on_alloc=0", true);
    }
}
END_TEST

START_TEST(the_processor_counts_and_sums)
{
    struct gb_counter start = {0};

    ck_assert_uint_eq(gb_crc32c(0, "123456789", 9), 0xe3069283);
    ck_assert_uint_eq(gb_crc32c(gb_crc32c(0, "1234567890123", 13), "", 0),
                      gb_crc32c(gb_crc32c(0, "1", 1), "234567890123", 12));
    gb_counter_start(&start);
    if (!gb_machine_native()->has_tsc)
        ck_assert_uint_eq(gb_counter_khz(&start), 0);
    start.ticks = UINT64_MAX; /* a counter that ran backwards */
    ck_assert_uint_eq(gb_counter_khz(&start), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("machine");
    TCase *tests = tcase_create("machine");

    tcase_add_test(tests, machines_are_complete);
    tcase_add_test(tests, machines_are_named_in_a_sentence);
    tcase_add_test(tests, accelerators_have_names);
    tcase_add_test(tests, kernels_are_told_what_they_know);
    tcase_add_test(tests, the_processor_counts_and_sums);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}

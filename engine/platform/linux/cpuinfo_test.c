/* SPDX-License-Identifier: Apache-2.0 */
/* Processors that may be shown to a guest as different ones are told apart. */
#include "platform/linux/cpuinfo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check_folder.h"
#include "check_run.h"
#include "base/fd.h"
#include "base/mem.h"

static void setup(void)
{
    check_folder_make("cpuinfo");
}

static void teardown(void)
{
    check_folder_remove();
}

#define CPU                                                                                        \
    "processor\t: 0\nvendor_id\t: AuthenticAMD\ncpu family\t: 25\nmodel\t\t: 1\n"                  \
    "model name\t: AMD EPYC\nstepping\t: 1\nmicrocode\t: 0x1000065\n"                              \
    "flags\t\t: fpu vme fsgsbase popcnt\nbugs\t\t: spectre_v1\n"                                   \
    "address sizes\t: 48 bits physical, 48 bits virtual\n"
#define OTHER_CPU "\nprocessor\t: 1\nmodel name\t: Another\nflags\t\t: none\n"

static char *processor(const char *cpuinfo, bool features)
{
    struct gb_buf text = {0};

    cpuinfo_add(&text, gb_bytes_str(cpuinfo), features);
    return gb_buf_take_str(&text);
}

/* @cpuinfo with the first @old replaced by @new. Gives. */
static char *changed(const char *old, const char *new)
{
    const char *at = strstr(CPU, old);

    ck_assert_ptr_nonnull(at);
    return xasprintf("%.*s%s%s" OTHER_CPU, (int)(at - CPU), CPU, new, at + strlen(old));
}

START_TEST(tells_processors_apart)
{
    static const char *const differs[][2] = {
        {"AuthenticAMD", "GenuineIntel"},
        {"cpu family\t: 25", "cpu family\t: 26"},
        {"model\t\t: 1", "model\t\t: 17"},
        {"AMD EPYC", "AMD EPYC 7763"},
        {"stepping\t: 1", "stepping\t: 2"},
        {"0x1000065", "0x1000066"},
        {" fsgsbase", ""},
        {" popcnt", " popcnt avx2"},
        {"48 bits physical", "46 bits physical"},
        {"\nbugs", "\nvmx flags\t: vnmi\nbugs"},
        {"\nbugs", "\nCPU part\t: 0xd0c\nbugs"},
        {"\nbugs", "\nFeatures\t: fp asimd\nbugs"},
    };
    static const char *const same[][2] = {
        {"fpu vme fsgsbase popcnt", "popcnt fpu  fsgsbase vme "},
        {"spectre_v1", "spectre_v1 spectre_v2"}, /* what the host's kernel makes of it */
    };
    char *one = processor(CPU OTHER_CPU, true), *plain = processor(CPU OTHER_CPU, false);

    ck_assert_str_eq(plain, "AMD EPYC");
    for (size_t i = 0; i < ARRAY_SIZE(differs); i++) {
        char *cpuinfo = changed(differs[i][0], differs[i][1]);
        char *other = processor(cpuinfo, true);

        ck_assert_msg(strcmp(one, other) != 0, "%s is as good as %s", differs[i][1], differs[i][0]);
        free(cpuinfo);
        free(other);
    }
    for (size_t i = 0; i < ARRAY_SIZE(same); i++) {
        char *cpuinfo = changed(same[i][0], same[i][1]);
        char *other = processor(cpuinfo, true);

        ck_assert_str_eq(one, other);
        free(cpuinfo);
        free(other);
    }
    free(one);
    free(plain);
    plain = processor("", true);
    ck_assert_uint_gt(strlen(plain), 0);
    free(plain);
}
END_TEST

START_TEST(tells_nested_virtualisation)
{
    char *place = xasprintf("%s/kvm_amd/parameters", folder);
    char *file = xasprintf("%s/nested", place);
    struct gb_buf text = {0};

    cpuinfo_add_nested(&text, folder);
    ck_assert_uint_eq(text.size, 0);
    ck_assert_int_eq(gb_fd_make_dirs(place, 0700, NULL), 0);
    ck_assert_int_eq(gb_fd_replace_file(file, gb_bytes_str("1\n"), 0600, NULL), 0);
    cpuinfo_add_nested(&text, folder);
    ck_assert_str_eq(gb_buf_str(&text), ", kvm_amd nested 1");
    gb_buf_clear(&text);
    ck_assert_int_eq(gb_fd_replace_file(file, gb_bytes_str("0\n"), 0600, NULL), 0);
    cpuinfo_add_nested(&text, folder);
    ck_assert_str_eq(gb_buf_str(&text), ", kvm_amd nested 0");
    gb_buf_release(&text);
    free(file);
    free(place);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cpuinfo");
    TCase *tests = tcase_create("cpuinfo");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, tells_processors_apart);
    tcase_add_test(tests, tells_nested_virtualisation);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}

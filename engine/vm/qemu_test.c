/* SPDX-License-Identifier: Apache-2.0 */
/* QEMU's command line: what it says for each accelerator and each version of QEMU. */
#include "vm/qemu.h"

#include <stdlib.h>
#include <string.h>

#include "check_run.h"
#include "base/mem.h"
#include "vm/cpu.h"
#include "vm/qmp.h"

/* What `qom-list-properties` returns, cut down to the names that matter and two that do not. */
#define NAME(name) "{\"name\":\"" name "\",\"type\":\"bool\"}"
#define OLD                                                                                        \
    NAME("erms")                                                                                   \
    "," NAME("fsrm") "," NAME("smap") "," NAME("pku") "," NAME("la57") "," NAME("svm") "," NAME(   \
        "vmx") "," NAME("pmu") "," NAME("avx2") "," NAME("erms-not")
static const char qemu_7[] = "[" OLD "]";
static const char qemu_10[] = "[" NAME("fsrc") "," OLD "," NAME("fsrs") "," NAME("fzrm") "]";

static char qemu[] = "/bin/qemu", firmware[] = "/share/qboot.rom", launcher[] = "/launcher";
static struct gb_images images = {.kernel = (char[]){"/i/vmlinux"},
                                  .initramfs = (char[]){"/i/initramfs.cpio"}};
static struct gb_image image = {.language = (char[]){"shell"}, .path = (char[]){"/i/shell.erofs"}};

static uint32_t known(const char *properties)
{
    cJSON *json = cJSON_Parse(properties);
    uint32_t bits = 0;

    ck_assert_msg(cpu_read_known(json, &bits), "%s", properties);
    cJSON_Delete(json);
    return bits;
}

static struct gb_host host_of(uint32_t cpu_known)
{
    return (struct gb_host){
        .images = &images,
        .qemu = qemu,
        .firmware = firmware,
        .launcher = launcher,
        .cpu_known = cpu_known,
    };
}

/* The value of @option, which is given exactly once; NULL: it is not. Borrows from @argv. */
static const char *value_of(char **argv, const char *option)
{
    const char *value = NULL;

    for (size_t i = 0; argv[i] != NULL; i++) {
        if (strcmp(argv[i], option) != 0)
            continue;
        ck_assert_msg(value == NULL, "%s twice", option);
        value = argv[i + 1];
    }
    return value;
}

static char *cpu_of(enum gb_accel accel, uint32_t cpu_known)
{
    struct gb_host host = host_of(cpu_known);
    const struct qemu_machine machine = {.accel = accel, .image = &image, .memory_mb = 128};
    struct gb_err err;
    char **argv, *cpu;

    ck_assert_int_eq(qemu_build_argv(&host, &machine, &argv, &err), 0);
    cpu = xstrdup(value_of(argv, "-cpu"));
    qemu_free_argv(argv);
    return cpu;
}

static void check_cpu(enum gb_accel accel, const char *properties, const char *expected)
{
    char *cpu = cpu_of(accel, known(properties));

    ck_assert_str_eq(cpu, expected);
    free(cpu);
}

START_TEST(names_what_this_qemu_knows)
{
    check_cpu(
        GB_ACCEL_TCG, qemu_7,
        "max,min-xlevel=0x80000008,erms=off,fsrm=off,smap=off,pku=off,la57=off,svm=off,vmx=off");
    check_cpu(GB_ACCEL_TCG, qemu_10,
              "max,min-xlevel=0x80000008,erms=off,fsrm=off,fzrm=off,fsrs=off,fsrc=off,smap=off,"
              "pku=off,la57=off,svm=off,vmx=off");
    check_cpu(GB_ACCEL_KVM, qemu_7, "host,svm=off,vmx=off,pmu=off");
    check_cpu(GB_ACCEL_KVM, qemu_10, "host,svm=off,vmx=off,pmu=off");
    check_cpu(GB_ACCEL_TCG, "[" NAME("mmx") "]", "max,min-xlevel=0x80000008");
    check_cpu(GB_ACCEL_KVM, "[" NAME("mmx") "]", "host");
}
END_TEST

START_TEST(tells_what_is_left_out)
{
    struct gb_host host = host_of(known(qemu_7));
    struct gb_cpu cpu;

    host.accel = GB_ACCEL_TCG;
    gb_host_describe_cpu(&host, &cpu);
    ck_assert_str_eq(cpu.model, "max");
    ck_assert_uint_eq(cpu.off_count, 7);
    ck_assert_str_eq(cpu.off[0].name, "erms");
    ck_assert_uint_eq(cpu.unknown_count, 3);
    ck_assert_str_eq(cpu.unknown[0].name, "fzrm");
    ck_assert_str_eq(cpu.unknown[2].name, "fsrc");
    host.cpu_known = known(qemu_10);
    gb_host_describe_cpu(&host, &cpu);
    ck_assert_uint_eq(cpu.unknown_count, 0);
    host.accel = GB_ACCEL_KVM;
    gb_host_describe_cpu(&host, &cpu);
    ck_assert_str_eq(cpu.model, "host");
    ck_assert_uint_eq(cpu.off_count, 3);
    for (size_t i = 0; i < cpu.off_count; i++)
        ck_assert_uint_gt(strlen(cpu.off[i].why), 10);
}
END_TEST

START_TEST(takes_no_strange_properties)
{
    static const char *const bad[] = {
        "[]", "{}", "null", "1", "\"erms\"", "[1]", "[{}]", "[{\"name\":1}]", "[" NAME("pku") ",1]",
    };

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        cJSON *json = cJSON_Parse(bad[i]);
        uint32_t bits;

        ck_assert_msg(!cpu_read_known(json, &bits), "%s", bad[i]);
        cJSON_Delete(json);
    }
}
END_TEST

/* A clone is the machine that the template was made on, but for where its state comes from. */
START_TEST(restores_into_the_same_machine)
{
    static const char *const same[] = {"-M", "-m", "-cpu", "-accel", "-smp", "-bios", "-drive"};
    struct gb_host host = host_of(known(qemu_10));
    struct qemu_machine machine = {.accel = GB_ACCEL_TCG,
                                   .image = &image,
                                   .memory_mb = 192,
                                   .ram = GB_RAM_SHARED_FILE,
                                   .ram_path = "/t/ram"};
    char **template, **clone;
    struct gb_err err;

    ck_assert_int_eq(qemu_build_argv(&host, &machine, &template, &err), 0);
    machine.ram = GB_RAM_PRIVATE_FILE;
    machine.incoming = true;
    ck_assert_int_eq(qemu_build_argv(&host, &machine, &clone, &err), 0);
    for (size_t i = 0; i < ARRAY_SIZE(same); i++)
        ck_assert_pstr_eq(value_of(template, same[i]), value_of(clone, same[i]));
    ck_assert_ptr_nonnull(value_of(template, "-kernel"));
    ck_assert_ptr_null(value_of(clone, "-kernel"));
    ck_assert_ptr_null(value_of(template, "-incoming"));
    ck_assert_pstr_eq(value_of(clone, "-incoming"), "defer");
    qemu_free_argv(template);
    qemu_free_argv(clone);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("qemu");
    TCase *tests = tcase_create("qemu");

    tcase_add_test(tests, names_what_this_qemu_knows);
    tcase_add_test(tests, tells_what_is_left_out);
    tcase_add_test(tests, takes_no_strange_properties);
    tcase_add_test(tests, restores_into_the_same_machine);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}

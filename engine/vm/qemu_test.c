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

    ck_assert_msg(cpu_read_known(&gb_machine_microvm, json, &bits), "%s", properties);
    cJSON_Delete(json);
    return bits;
}

static struct gb_host host_of(uint32_t cpu_known)
{
    return (struct gb_host){
        .machine = &gb_machine_microvm,
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

        ck_assert_msg(!cpu_read_known(&gb_machine_microvm, json, &bits), "%s", bad[i]);
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

/* ---- whole command lines ---- */

/* What all of these lines have in common, as text, so that the tests see each byte. */
#define FILES                                                                                      \
    "--keep\n4\n--file\nfirmware=/share/qboot.rom\n--file\nkernel=/i/vmlinux\n"                    \
    "--file\ninitramfs=/i/initramfs.cpio\n"
#define ROOT "--file\nroot=/i/shell.erofs\n"
#define MICROVM                                                                                    \
    "--\n/bin/qemu\n-M\nmicrovm,x-option-roms=off,isa-serial=on,rtc=on,acpi=on,"                   \
    "memory-backend=ram,suppress-vmdesc=on\n"
#define SHARED "-object\nmemory-backend-file,id=ram,size=224M,mem-path=%{ram},share=on\n-m\n224M\n"
#define PRIVATE                                                                                    \
    "-object\nmemory-backend-file,id=ram,size=224M,mem-path=%{ram},share=off\n-m\n224M\n"
#define TCG "-accel\ntcg,thread=single,tb-size=128\n"
#define KVM "-accel\nkvm\n-cpu\nhost,svm=off,vmx=off,pmu=off\n"
#define ONE "-smp\n1\n"
#define FIRMWARE "-bios\n%{firmware}\n"
#define BARE                                                                                       \
    "-global\nmigration.send-configuration=off\n-nodefaults\n-no-user-config\n"                    \
    "-display\nnone\n-no-reboot\n"
#define SANDBOX                                                                                    \
    "-sandbox\non,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny\n"
#define KERNEL "-kernel\n%{kernel}\n-initrd\n%{initramfs}\n-append\n"
#define OPTIONS                                                                                    \
    "console=ttyS0 quiet loglevel=1 panic=-1 reboot=t no_timer_check tsc=reliable "                \
    "mitigations=off nokaslr random.trust_cpu=on cryptomgr.notests audit=0 lsm= psi=0 "            \
    "initcall_blacklist=init_hw_perf_events init_on_alloc=0 "
#define PORTS                                                                                      \
    "-chardev\nsocket,id=qmp,fd=5\n-mon\nchardev=qmp,mode=control\n"                               \
    "-chardev\nsocket,id=console,fd=7\n-serial\nchardev:console\n"                                 \
    "-chardev\nsocket,id=agent,fd=6\n-device\nvirtio-serial-device,max_ports=3\n"                  \
    "-device\nvirtserialport,chardev=agent,name=glassbell.0\n"                                     \
    "-chardev\nsocket,id=network,fd=8\n"                                                           \
    "-device\nvirtserialport,chardev=network,name=glassbell.1\n-device\nvirtio-rng-device\n"
#define DISK                                                                                       \
    "-drive\nid=root,if=none,format=raw,readonly=on,file.locking=off,file=%{root}\n"               \
    "-device\nvirtio-blk-device,drive=root,serial=root\n"                                          \
    "-blockdev\ndriver=null-co,node-name=empty,read-only=on,read-zeroes=on,size=4294967296\n"      \
    "-device\nvirtio-blk-device,id=spare,drive=empty,serial=packages\n"

static const char bookworm_probe[] =
    "/launcher\n--memory\n768\n" FILES MICROVM
    "-object\nmemory-backend-ram,id=ram,size=128M\n-m\n128M\n" TCG
    "-cpu\nmax,min-xlevel=0x80000008,erms=off,fsrm=off,smap=off,pku=off,la57=off,svm=off,vmx="
    "off\n" ONE FIRMWARE BARE KERNEL OPTIONS "glassbell.probe=1\n" PORTS;
static const char bookworm_template[] =
    "/launcher\n--uid\n61200\n--memory\n864\n" FILES ROOT "--write\nram=/t/ram\n" MICROVM SHARED TCG
    "-cpu\nmax,min-xlevel=0x80000008,erms=off,fsrm=off,smap=off,pku=off,la57=off,svm=off,vmx="
    "off\n" ONE FIRMWARE BARE SANDBOX KERNEL OPTIONS
    "tsc_early_khz=2445404 glassbell.language=shell\n" PORTS DISK;
static const char bookworm_clone[] =
    "/launcher\n--kvm\n--memory\n736\n" FILES ROOT
    "--read\nram=/t/ram\n" MICROVM PRIVATE KVM ONE FIRMWARE BARE SANDBOX PORTS DISK
    "-incoming\ndefer\n";
static const char trixie_boot[] =
    "/launcher\n--require\n--kvm\n--memory\n1024\n" FILES ROOT MICROVM
    "-object\nmemory-backend-ram,id=ram,size=512M\n-m\n512M\n" KVM ONE FIRMWARE BARE SANDBOX KERNEL
        OPTIONS "glassbell.language=shell\n" PORTS DISK;
static const char trixie_clone[] =
    "/launcher\n--require\n--kvm\n--memory\n736\n" FILES ROOT
    "--read\nram=/t/ram\n" MICROVM PRIVATE KVM ONE FIRMWARE BARE SANDBOX PORTS DISK
    "-incoming\ndefer\n";
static const char trixie_template[] =
    "/launcher\n--uid\n61200\n--memory\n864\n" FILES ROOT "--write\nram=/t/ram\n" MICROVM SHARED TCG
    "-cpu\nmax,min-xlevel=0x80000008,erms=off,fsrm=off,fzrm=off,fsrs=off,fsrc=off,smap=off,"
    "pku=off,la57=off,svm=off,vmx=off\n" ONE FIRMWARE BARE SANDBOX KERNEL OPTIONS
    "tsc_early_khz=2445404 glassbell.language=shell\n" PORTS DISK;

#define VIRT "--\n/bin/qemu\n-M\nvirt,acpi=off,memory-backend=ram,suppress-vmdesc=on,"
#define VIRT_FILES "--keep\n4\n--file\nkernel=/i/Image\n--file\ninitramfs=/i/initramfs.cpio\n"
#define VIRT_OPTIONS                                                                               \
    "console=ttyAMA0 quiet loglevel=1 panic=-1 mitigations=off nokaslr random.trust_cpu=on "       \
    "cryptomgr.notests audit=0 lsm= psi=0 init_on_alloc=0 "

static const char virt_template[] =
    "/launcher\n--memory\n864\n" VIRT_FILES ROOT "--write\nram=/t/ram\n" VIRT
    "gic-version=3\n" SHARED TCG
    "-cpu\nmax,pauth-impdef=on,sve=off,sme=off,pmu=off\n" ONE BARE SANDBOX KERNEL VIRT_OPTIONS
    "glassbell.language=shell\n" PORTS DISK;
static const char virt_clone[] =
    "/launcher\n--kvm\n--memory\n736\n" VIRT_FILES ROOT "--read\nram=/t/ram\n" VIRT
    "gic-version=host\n" PRIVATE "-accel\nkvm\n-cpu\nhost,pmu=off\n" ONE BARE SANDBOX PORTS DISK
    "-incoming\ndefer\n";

/* All arguments, a line each. Gives. */
static char *whole(const struct gb_host *host, const struct qemu_machine *machine)
{
    struct gb_buf text = {0};
    struct gb_err err;
    char **argv;

    ck_assert_int_eq(qemu_build_argv(host, machine, &argv, &err), 0);
    for (size_t i = 0; argv[i] != NULL; i++)
        gb_buf_addf(&text, "%s\n", argv[i]);
    qemu_free_argv(argv);
    return gb_buf_take_str(&text);
}

static void check_whole(const struct gb_host *host, const struct qemu_machine *machine,
                        const char *expected)
{
    char *line = whole(host, machine);

    ck_assert_str_eq(line, expected);
    free(line);
}

/* Templates of users depend on these: a difference here makes all of them anew. */
START_TEST(says_the_same_as_ever)
{
    struct gb_host bookworm = host_of(known(qemu_7)), trixie = host_of(known(qemu_10));
    const struct qemu_machine probe = {.accel = GB_ACCEL_TCG, .memory_mb = 128};
    const struct qemu_machine template = {.accel = GB_ACCEL_TCG,
                                          .uid = 61200,
                                          .image = &image,
                                          .memory_mb = 224,
                                          .ram = GB_RAM_SHARED_FILE,
                                          .ram_path = "/t/ram"};
    const struct qemu_machine boot = {.accel = GB_ACCEL_KVM, .image = &image, .memory_mb = 512};
    const struct qemu_machine clone = {.accel = GB_ACCEL_KVM,
                                       .image = &image,
                                       .memory_mb = 224,
                                       .ram = GB_RAM_PRIVATE_FILE,
                                       .ram_path = "/t/ram",
                                       .incoming = true};

    check_whole(&bookworm, &probe, bookworm_probe);
    bookworm.qemu_sandbox = true;
    bookworm.tsc_khz = 2445404;
    check_whole(&bookworm, &template, bookworm_template);
    trixie.qemu_sandbox = trixie.require_isolation = true;
    trixie.tsc_khz = 2445404;
    check_whole(&trixie, &boot, trixie_boot);
    check_whole(&trixie, &clone, trixie_clone);
    bookworm.tsc_khz = 0;
    check_whole(&bookworm, &clone, bookworm_clone);
    trixie.require_isolation = false;
    check_whole(&trixie, &template, trixie_template);
}
END_TEST

/* What `qom-list-properties` of max-arm-cpu returns, cut down. */
static const char arm_cpu[] = "[" NAME("sve") "," NAME("pmu") "," NAME("sme") "," NAME("mte") "]";

START_TEST(speaks_of_arm64_as_well)
{
    struct gb_images arm_images = {.kernel = (char[]){"/i/Image"},
                                   .initramfs = (char[]){"/i/initramfs.cpio"}};
    struct gb_host host = {
        .machine = &gb_machine_virt,
        .images = &arm_images,
        .qemu = qemu,
        .launcher = launcher,
        .qemu_sandbox = true,
        .tsc_khz = 2445404, /* of the host that emulates: nothing to an arm64 guest */
    };
    struct qemu_machine machine = {.accel = GB_ACCEL_TCG,
                                   .image = &image,
                                   .memory_mb = 224,
                                   .ram = GB_RAM_SHARED_FILE,
                                   .ram_path = "/t/ram"};
    cJSON *json = cJSON_Parse(arm_cpu);

    ck_assert(cpu_read_known(&gb_machine_virt, json, &host.cpu_known));
    cJSON_Delete(json);
    check_whole(&host, &machine, virt_template);
    machine.accel = GB_ACCEL_KVM;
    machine.ram = GB_RAM_PRIVATE_FILE;
    machine.incoming = true;
    check_whole(&host, &machine, virt_clone);
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
    tcase_add_test(tests, says_the_same_as_ever);
    tcase_add_test(tests, speaks_of_arm64_as_well);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}

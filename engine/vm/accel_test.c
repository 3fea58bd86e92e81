/* Which accelerator is taken, and for how long that is believed. KVM that works, hangs or aborts is
 * the stand-in's (fake/qemu.c), behind the real launcher; without /dev/kvm nothing is tried. */
#include "vm/accel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check_run.h"
#include "base/fd.h"
#include "base/mem.h"
#include "vm/inspect.h"

static char folder[64];

static void setup(void)
{
    (void)snprintf(folder, sizeof(folder), "/tmp/glassbell-accel-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_msg(getenv("GLASSBELL_IMAGES") != NULL, "GLASSBELL_IMAGES must name the images");
    unsetenv("GLASSBELL_ACCEL");
}

static void teardown(void)
{
    char *command = xasprintf("rm -rf %s", folder);

    ck_assert_int_eq(system(command), 0); /* allowed: a folder of the test's */
    free(command);
}

/* The stand-in under a name. */
static char *stand_in(const char *name)
{
    char *path = xasprintf("%s/%s", folder, name);
    char self[4096];
    char *command;
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

    ck_assert_int_gt(n, 0);
    self[n] = '\0';
    *strrchr(self, '/') = '\0';
    command = xasprintf("cp -f %s/fake-qemu %s && chmod 755 %s %s", self, path, path, folder);
    ck_assert_int_eq(system(command), 0); /* allowed: files of the test's */
    free(command);
    return path;
}

struct outcome {
    struct gb_err err;
    enum gb_accel accel;
    char reason[2 * GB_ERR_MESSAGE_MAX];
    int calls;
};

static void on_host(void *arg, struct gb_host *host, const struct gb_err *err)
{
    struct outcome *outcome = arg;

    outcome->calls++;
    if (err != NULL)
        outcome->err = *err;
    if (host != NULL) {
        outcome->accel = host->accel;
        (void)snprintf(outcome->reason, sizeof(outcome->reason), "%s", host->accel_reason);
    }
    gb_host_free(host);
}

static struct outcome open_host(const char *qemu, enum gb_accel wanted, bool anew)
{
    const struct gb_host_config config = {
        .run = folder, .cache = folder, .qemu = qemu, .accel = wanted, .probe_anew = anew};
    struct outcome outcome = {0};
    struct gb_loop *loop;
    uv_loop_t uv;

    uv_loop_init(&uv);
    loop = gb_loop_new(&uv);
    gb_host_open(loop, &config, on_host, &outcome);
    while (outcome.calls == 0)
        uv_run(&uv, UV_RUN_ONCE);
    gb_loop_free(loop);
    uv_run(&uv, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&uv), 0);
    return outcome;
}

static bool has_kvm(void)
{
    if (access("/dev/kvm", R_OK | W_OK) == 0)
        return true;
    printf("there is no /dev/kvm to be tried\n");
    return false;
}

static void has(const char *text, const char *part)
{
    ck_assert_msg(strstr(text, part) != NULL, "no \"%s\" in: %s", part, text);
}

/* Whether @part is in @text once. */
static void has_once(const char *text, const char *part)
{
    const char *first = strstr(text, part);

    ck_assert_msg(first != NULL && strstr(first + 1, part) == NULL, "not one \"%s\" in: %s", part,
                  text);
}

static void read_memory(struct accel_memory *ret_memory)
{
    char *path = xasprintf("%s/accel.json", folder);
    struct gb_buf text = {0};

    ck_assert_int_eq(gb_fd_read_file(path, 16384, &text, NULL), 0);
    ck_assert(accel_parse(gb_buf_bytes(&text), ret_memory));
    gb_buf_release(&text);
    free(path);
}

/* What is remembered, with another reason, which shows where it is believed; and another boot
 * unless
 * @boot is NULL. */
static void mark_memory(const char *reason, const char *boot)
{
    char *path = xasprintf("%s/accel.json", folder);
    struct accel_memory memory;
    struct gb_buf text = {0};

    read_memory(&memory);
    free(memory.reason);
    memory.reason = xstrdup(reason);
    if (boot != NULL) {
        free(memory.boot);
        memory.boot = xstrdup(boot);
    }
    accel_format(&memory, &text);
    ck_assert_int_eq(gb_fd_replace_file(path, gb_buf_bytes(&text), 0600, NULL), 0);
    gb_buf_release(&text);
    accel_release(&memory);
    free(path);
}

START_TEST(takes_kvm_that_works_and_remembers_it)
{
    char *qemu = stand_in("kvm-works");
    struct outcome outcome;

    if (has_kvm()) {
        outcome = open_host(qemu, GB_ACCEL_UNKNOWN, false);
        ck_assert_msg(outcome.accel == GB_ACCEL_KVM, "%s%s", outcome.err.message, outcome.reason);
        has(outcome.reason, "a guest booted under KVM in");
        mark_memory("as it was", "another boot");
        outcome = open_host(qemu, GB_ACCEL_UNKNOWN, false);
        ck_assert_int_eq(outcome.accel, GB_ACCEL_KVM);
        ck_assert_str_eq(outcome.reason, "as it was");
        outcome = open_host(qemu, GB_ACCEL_KVM, false);
        ck_assert_str_eq(outcome.reason, "as it was");
        /* Who looks anew sees what is, and that is remembered. */
        outcome = open_host(qemu, GB_ACCEL_UNKNOWN, true);
        has(outcome.reason, "a guest booted under KVM in");
        outcome = open_host(qemu, GB_ACCEL_UNKNOWN, false);
        has(outcome.reason, "a guest booted under KVM in");
    }
    free(qemu);
}
END_TEST

START_TEST(tries_kvm_again_that_failed)
{
    char *qemu = stand_in("kvm-aborts");
    struct accel_memory memory;
    struct outcome outcome;

    if (has_kvm()) {
        outcome = open_host(qemu, GB_ACCEL_UNKNOWN, false);
        ck_assert_msg(outcome.accel == GB_ACCEL_TCG, "%s", outcome.err.message);
        has(outcome.reason, "KVM does not work here: ");
        has_once(outcome.reason, "Assertion `it works' failed");
        read_memory(&memory);
        ck_assert_int_eq(memory.accel, GB_ACCEL_TCG);
        ck_assert_uint_gt(strlen(memory.boot), 10);
        accel_release(&memory);

        /* Within one boot of the host it is believed, and told as what it is. */
        mark_memory("as it was", NULL);
        outcome = open_host(qemu, GB_ACCEL_UNKNOWN, false);
        ck_assert_int_eq(outcome.accel, GB_ACCEL_TCG);
        has(outcome.reason, "as it was");
        has(outcome.reason, "glassbell doctor");
        /* Not by whoever asks for KVM. */
        outcome = open_host(qemu, GB_ACCEL_KVM, false);
        ck_assert_int_eq(outcome.err.code, GB_EUNSUPPORTED);
        has(outcome.err.message, "KVM was asked for and does not work");
        has_once(outcome.err.message, "does not work");
        has_once(outcome.err.message, "Assertion `it works' failed");
        /* Nor after a boot. */
        mark_memory("as it was", "another boot");
        outcome = open_host(qemu, GB_ACCEL_UNKNOWN, false);
        has(outcome.reason, "Assertion `it works' failed");
        /* Nor where somebody looks. */
        mark_memory("as it was", NULL);
        outcome = open_host(qemu, GB_ACCEL_UNKNOWN, true);
        has(outcome.reason, "Assertion `it works' failed");
        /* And what was found there is what is believed next. */
        outcome = open_host(qemu, GB_ACCEL_UNKNOWN, false);
        has(outcome.reason, "Assertion `it works' failed");
    }
    free(qemu);
}
END_TEST

START_TEST(tells_an_abort_from_a_fault)
{
    char *aborts = stand_in("kvm-aborts"), *faults = stand_in("kvm-faults");
    struct outcome outcome;

    if (has_kvm()) {
        outcome = open_host(aborts, GB_ACCEL_KVM, false);
        has(outcome.err.message, "signal 6 (Aborted)");
        has(outcome.err.message, "kvm.c: Assertion");
        outcome = open_host(faults, GB_ACCEL_KVM, false);
        has(outcome.err.message, "signal 11 (Segmentation fault)");
    }
    free(aborts);
    free(faults);
}
END_TEST

START_TEST(tells_both_reasons_where_nothing_boots)
{
    char *qemu = stand_in("nothing-boots"), *path = xasprintf("%s/accel.json", folder);
    struct outcome outcome;

    if (has_kvm()) {
        outcome = open_host(qemu, GB_ACCEL_UNKNOWN, false);
        ck_assert_int_eq(outcome.err.code, GB_EUNSUPPORTED);
        has(outcome.err.message, "no guest boots on this host");
        has_once(outcome.err.message, "Assertion `it works' failed");
        has_once(outcome.err.message, "software has an end");
        ck_assert_int_ne(access(path, F_OK), 0); /* nothing to be remembered */
    }
    free(path);
    free(qemu);
}
END_TEST

/* Emulation is there first, and KVM has its time all the same. */
START_TEST(waits_for_kvm_that_is_slow)
{
    char *qemu = stand_in("kvm-hangs");
    struct outcome outcome;

    if (has_kvm()) {
        outcome = open_host(qemu, GB_ACCEL_UNKNOWN, false);
        ck_assert_int_eq(outcome.accel, GB_ACCEL_TCG);
        has(outcome.reason, "did not come up within 15 s");
        has(outcome.reason, "by software a guest booted in");
    }
    free(qemu);
}
END_TEST

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

#define CPU                                                                                        \
    "processor\t: 0\nvendor_id\t: AuthenticAMD\ncpu family\t: 25\nmodel\t\t: 1\n"                  \
    "model name\t: AMD EPYC\nstepping\t: 1\nmicrocode\t: 0x1000065\n"                              \
    "flags\t\t: fpu vme fsgsbase popcnt\nbugs\t\t: spectre_v1\n"                                   \
    "address sizes\t: 48 bits physical, 48 bits virtual\n"
#define OTHER_CPU "\nprocessor\t: 1\nmodel name\t: Another\nflags\t\t: none\n"

static char *processor(const char *cpuinfo, bool features)
{
    struct gb_buf text = {0};

    inspect_add_processor(&text, gb_bytes_str(cpuinfo), features);
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

    inspect_add_nested(&text, folder);
    ck_assert_uint_eq(text.size, 0);
    ck_assert_int_eq(gb_fd_make_dirs(place, 0700, NULL), 0);
    ck_assert_int_eq(gb_fd_replace_file(file, gb_bytes_str("1\n"), 0600, NULL), 0);
    inspect_add_nested(&text, folder);
    ck_assert_str_eq(gb_buf_str(&text), ", kvm_amd nested 1");
    gb_buf_clear(&text);
    ck_assert_int_eq(gb_fd_replace_file(file, gb_bytes_str("0\n"), 0600, NULL), 0);
    inspect_add_nested(&text, folder);
    ck_assert_str_eq(gb_buf_str(&text), ", kvm_amd nested 0");
    gb_buf_release(&text);
    free(file);
    free(place);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("accel");
    TCase *tests = tcase_create("accel");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 100);
    tcase_add_test(tests, takes_kvm_that_works_and_remembers_it);
    tcase_add_test(tests, tries_kvm_again_that_failed);
    tcase_add_test(tests, tells_an_abort_from_a_fault);
    tcase_add_test(tests, tells_both_reasons_where_nothing_boots);
    tcase_add_test(tests, waits_for_kvm_that_is_slow);
    tcase_add_test(tests, believes_no_strange_memory);
    tcase_add_test(tests, tells_processors_apart);
    tcase_add_test(tests, tells_nested_virtualisation);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}

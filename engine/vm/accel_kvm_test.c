/* SPDX-License-Identifier: Apache-2.0 */
/* Which accelerator is taken, and for how long that is believed. KVM that works, hangs or aborts is
 * the stand-in's (fake/qemu.c), behind the real launcher, which wants a /dev/kvm: skipped without.
 */
#include "vm/accel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check_run.h"
#include "base/fd.h"
#include "base/mem.h"

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
    free(qemu);
}
END_TEST

START_TEST(tries_kvm_again_that_failed)
{
    char *qemu = stand_in("kvm-aborts");
    struct accel_memory memory;
    struct outcome outcome;

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
    has(outcome.err.message, "KVM was requested and does not work");
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
    free(qemu);
}
END_TEST

START_TEST(tells_an_abort_from_a_fault)
{
    char *aborts = stand_in("kvm-aborts"), *faults = stand_in("kvm-faults");
    struct outcome outcome;

    outcome = open_host(aborts, GB_ACCEL_KVM, false);
    has(outcome.err.message, "signal 6 (Aborted)");
    has(outcome.err.message, "kvm.c: Assertion");
    outcome = open_host(faults, GB_ACCEL_KVM, false);
    has(outcome.err.message, "signal 11 (Segmentation fault)");
    free(aborts);
    free(faults);
}
END_TEST

START_TEST(tells_both_reasons_where_nothing_boots)
{
    char *qemu = stand_in("nothing-boots"), *path = xasprintf("%s/accel.json", folder);
    struct outcome outcome;

    outcome = open_host(qemu, GB_ACCEL_UNKNOWN, false);
    ck_assert_int_eq(outcome.err.code, GB_EUNSUPPORTED);
    has(outcome.err.message, "no guest boots on this host");
    has_once(outcome.err.message, "Assertion `it works' failed");
    has_once(outcome.err.message, "software has an end");
    ck_assert_int_ne(access(path, F_OK), 0); /* nothing to be remembered */
    free(path);
    free(qemu);
}
END_TEST

/* Emulation is there first, and KVM has its time all the same. */
START_TEST(waits_for_kvm_that_is_slow)
{
    char *qemu = stand_in("kvm-hangs");
    struct outcome outcome;

    outcome = open_host(qemu, GB_ACCEL_UNKNOWN, false);
    ck_assert_int_eq(outcome.accel, GB_ACCEL_TCG);
    has(outcome.reason, "did not start within 15 s");
    has(outcome.reason, "by software a guest booted in");
    free(qemu);
}
END_TEST

enum { SKIPPED = 77 }; /* what ctest takes for it: cmake/Modules.cmake */

int main(void)
{
    Suite *suite;
    TCase *tests;

    if (access("/dev/kvm", R_OK | W_OK) != 0) {
        printf("there is no /dev/kvm to be tried\n");
        return SKIPPED;
    }
    suite = suite_create("accel_kvm");
    tests = tcase_create("accel_kvm");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 100);
    tcase_add_test(tests, takes_kvm_that_works_and_remembers_it);
    tcase_add_test(tests, tries_kvm_again_that_failed);
    tcase_add_test(tests, tells_an_abort_from_a_fault);
    tcase_add_test(tests, tells_both_reasons_where_nothing_boots);
    tcase_add_test(tests, waits_for_kvm_that_is_slow);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}

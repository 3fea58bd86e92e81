/* SPDX-License-Identifier: Apache-2.0 */
/* What a host finds out, with real guests: $GLASSBELL_IMAGES names the images. */
#include "vm/host.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check_run.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "platform/system.h"
#include "vm/accel.h"
#include "vm/inspect.h"
#include "vm/private.h"
#include "vm/qmp.h"

static char folder[] = "/tmp/glassbell-host-test-XXXXXX";

struct outcome {
    struct gb_host *host;
    struct gb_err err;
    int calls;
};

static void on_host(void *arg, struct gb_host *host, const struct gb_err *err)
{
    struct outcome *outcome = arg;

    ck_assert((host == NULL) != (err == NULL));
    outcome->calls++;
    outcome->host = host;
    if (err != NULL)
        outcome->err = *err;
}

/* Opens a host, looks at it, and frees it. */
static double open_host(struct gb_host_config config, enum gb_code expected,
                        enum gb_accel *ret_accel, char **ret_message)
{
    struct outcome outcome = {0};
    uint64_t begin = gb_loop_now_ns();
    struct gb_loop *loop;
    uv_loop_t uv;
    double ms;

    config.run = config.cache = folder;
    uv_loop_init(&uv);
    loop = gb_loop_new(&uv);
    gb_host_open(loop, &config, on_host, &outcome);
    ck_assert_int_eq(outcome.calls, 0);
    while (outcome.calls == 0)
        uv_run(&uv, UV_RUN_ONCE);
    ms = gb_ns_to_ms(gb_loop_now_ns() - begin);
    ck_assert_msg(outcome.err.code == expected, "%d: %s", outcome.err.code, outcome.err.message);
    *ret_message = xstrdup(outcome.err.message);
    if (outcome.host != NULL) {
        free(*ret_message);
        *ret_message = xstrdup(outcome.host->accel_reason);
        *ret_accel = outcome.host->accel;
        ck_assert_uint_gt(strlen(outcome.host->qemu_version), 2);
        ck_assert(gb_list_empty(&outcome.host->vms));
    }
    gb_host_free(outcome.host);
    gb_loop_free(loop);
    uv_run(&uv, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&uv), 0);
    return ms;
}

static void setup(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
    unsetenv("GLASSBELL_ACCEL");
}

static void teardown(void)
{
    char *command = xasprintf("rm -rf %s", folder);

    ck_assert_int_eq(system(command), 0); /* allowed: a folder of the test's */
    free(command);
}

START_TEST(finds_an_accelerator_and_remembers_it)
{
    enum gb_accel first, second, forced;
    char *reason, *again, *message;
    double ms, quick;

    ck_assert_msg(getenv("GLASSBELL_IMAGES") != NULL, "GLASSBELL_IMAGES must name the images");
    ms = open_host((struct gb_host_config){0}, GB_OK, &first, &reason);
    printf("%s in %.0f ms: %s\n", gb_accel_name(first), ms, reason);
    ck_assert_uint_gt(strlen(reason), 10);
    quick = open_host((struct gb_host_config){0}, GB_OK, &second, &again);
    ck_assert_int_eq(first, second);
    if (first == GB_ACCEL_KVM)
        ck_assert_str_eq(reason, again);
    if (access("/dev/kvm", R_OK | W_OK) == 0)
        ck_assert(quick < ms / 2);
    free(again);

    setenv("GLASSBELL_ACCEL", "tcg", 1);
    open_host((struct gb_host_config){0}, GB_OK, &forced, &message);
    ck_assert_int_eq(forced, GB_ACCEL_TCG);
    free(message);
    setenv("GLASSBELL_ACCEL", "kvm", 1);
    open_host((struct gb_host_config){0}, first == GB_ACCEL_KVM ? GB_OK : GB_EUNSUPPORTED, &forced,
              &message);
    if (first != GB_ACCEL_KVM)
        ck_assert_ptr_nonnull(strstr(message, "KVM was requested and does not work"));
    free(message);
    free(reason);
}
END_TEST

START_TEST(says_what_is_missing)
{
    enum gb_accel accel;
    char *message;

    open_host((struct gb_host_config){.images = "/nonexistent"}, GB_EIMAGE, &accel, &message);
    ck_assert_ptr_nonnull(strstr(message, "glassbell image build"));
    free(message);
    open_host((struct gb_host_config){.qemu = "/nonexistent/qemu"}, GB_EUNSUPPORTED, &accel,
              &message);
    ck_assert_ptr_nonnull(strstr(message, "/nonexistent/qemu"));
    free(message);
    open_host((struct gb_host_config){.qemu = "/bin/true"}, GB_EUNSUPPORTED, &accel, &message);
    free(message);
    setenv("GLASSBELL_ACCEL", "magic", 1);
    open_host((struct gb_host_config){0}, GB_EINVALID, &accel, &message);
    free(message);
}
END_TEST

/* As the environment's name and as a member: neither gets another one instead. */
START_TEST(refuses_what_another_system_has)
{
    const char *own = gb_system_accelerator();
    const enum gb_accel other = strcmp(own, "hvf") == 0 ? GB_ACCEL_KVM : GB_ACCEL_HVF;
    enum gb_accel accel = GB_ACCEL_UNKNOWN;
    _cleanup_(freep) char *by_name = NULL, *by_member = NULL;

    setenv("GLASSBELL_ACCEL", gb_accel_name(other), 1);
    open_host((struct gb_host_config){0}, GB_EINVALID, &accel, &by_name);
    ck_assert_ptr_nonnull(strstr(by_name, own));
    unsetenv("GLASSBELL_ACCEL");
    open_host((struct gb_host_config){.accel = other}, GB_EUNSUPPORTED, &accel, &by_member);
    ck_assert_ptr_nonnull(strstr(by_member, gb_accel_title(other)));
    ck_assert_ptr_nonnull(strstr(by_member, own));
    ck_assert_int_eq(accel, GB_ACCEL_UNKNOWN);
}
END_TEST

START_TEST(reads_small_texts)
{
    struct registry_entry entry;
    struct gb_buf out = {0};

    ck_assert(registry_parse(gb_bytes_str("server 2 3\nlauncher 4 5\nqemu 6 7\n"), &entry));
    ck_assert_int_eq(entry.qemu.pid, 6);
    ck_assert_uint_eq(entry.qemu.start, 7);
    ck_assert(!registry_parse(gb_bytes_str("server 2 3\nlauncher 4 5\nqemu 1 7\n"), &entry));
    ck_assert(!registry_parse(gb_bytes_str("server 2 3\nlauncher 4 5\nqemu 6 7\nx"), &entry));
    ck_assert(!registry_parse(gb_bytes_str("server 2 3\nlauncher 4 5\nqemu -6 7\n"), &entry));

    tail_describe(&out, gb_bytes_str("[ 1.0] x\r\n[ 1.2] Kernel panic - \x1b[1m not syncing\r\n"
                                     "[ 1.3] Rebooting\r\n"));
    ck_assert_str_eq(gb_buf_str(&out),
                     "the guest's kernel panicked: Kernel panic - \\x1b[1m not syncing");
    gb_buf_clear(&out);
    ck_assert(tail_last_line(&out, gb_bytes_str("one\n[    0.5] two \r\n\n")));
    ck_assert_str_eq(gb_buf_str(&out), "two");
    gb_buf_release(&out);
}
END_TEST

START_TEST(reads_the_monitor)
{
    static const char *const bad[] = {
        "", "[]", "{}", "{\"return\":1} x", "{\"error\":{}}", "{\"error\":1}", "{\"event\":1}",
    };
    struct qmp_message message;

    ck_assert_int_eq(qmp_parse(gb_bytes_str("{\"return\":{},\"id\":4}\r"), &message, NULL), 0);
    ck_assert_int_eq(message.kind, QMP_RETURN);
    ck_assert(message.id == 4);
    cJSON_Delete(message.json);
    ck_assert_int_eq(
        qmp_parse(gb_bytes_str("{\"error\":{\"desc\":\"no\"},\"id\":5}"), &message, NULL), 0);
    ck_assert_int_eq(message.kind, QMP_ERROR);
    ck_assert_str_eq(message.text, "no");
    cJSON_Delete(message.json);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        ck_assert_msg(qmp_parse(gb_bytes_str(bad[i]), &message, NULL) < 0, "%s", bad[i]);
}
END_TEST

#define GREETING(qemu, package) "{\"QMP\":{\"version\":{\"qemu\":" qemu package "}}}"

START_TEST(reads_the_greeting)
{
    static const char *const bad[] = {
        GREETING("{\"major\":10,\"minor\":0}", ""),
        GREETING("{\"major\":\"10\",\"minor\":0,\"micro\":2}", ""),
        GREETING("{\"major\":-1,\"minor\":0,\"micro\":2}", ""),
        GREETING("{\"major\":10,\"minor\":0,\"micro\":1e9}", ""),
        GREETING("[10,0,2]", ""),
        "{\"QMP\":{}}",
    };
    static const char *const good[][3] = {
        {GREETING("{\"micro\":22,\"minor\":2,\"major\":7}",
                  ",\"package\":\"Debian 1:7.2+dfsg-7+deb12u18+b3\""),
         "7.2.22", "Debian 1:7.2+dfsg-7+deb12u18+b3"},
        {GREETING("{\"micro\":2,\"minor\":0,\"major\":10}", ",\"package\":\"\""), "10.0.2", ""},
        {GREETING("{\"micro\":0,\"minor\":1,\"major\":11}", ""), "11.1.0", ""},
        {GREETING("{\"micro\":0,\"minor\":1,\"major\":11}", ",\"package\":\"a\\u001b[1m\""),
         "11.1.0", "a\\x1b[1m"},
    };
    struct qmp_message message;
    struct inspected_qemu found;

    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        ck_assert_int_eq(qmp_parse(gb_bytes_str(good[i][0]), &message, NULL), 0);
        ck_assert_int_eq(message.kind, QMP_GREETING);
        ck_assert_msg(inspect_read_greeting(message.value, &found), "%s", good[i][0]);
        ck_assert_str_eq(found.version, good[i][1]);
        ck_assert_str_eq(found.package, good[i][2]);
        cJSON_Delete(message.json);
    }
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        ck_assert_int_eq(qmp_parse(gb_bytes_str(bad[i]), &message, NULL), 0);
        ck_assert_msg(!inspect_read_greeting(message.value, &found), "%s", bad[i]);
        cJSON_Delete(message.json);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("host");
    TCase *tests = tcase_create("host");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 100);
    tcase_add_test(tests, finds_an_accelerator_and_remembers_it);
    tcase_add_test(tests, says_what_is_missing);
    tcase_add_test(tests, refuses_what_another_system_has);
    tcase_add_test(tests, reads_small_texts);
    tcase_add_test(tests, reads_the_monitor);
    tcase_add_test(tests, reads_the_greeting);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}

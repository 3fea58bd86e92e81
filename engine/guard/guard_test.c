/* SPDX-License-Identifier: Apache-2.0 */
#include "guard/guard.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check_run.h"
#include "base/mem.h"
#include "loop/loop.h"

static int read_text(struct gb_guard_report *report, const char *text, size_t *ret_left)
{
    struct gb_buf buf = {0};
    int r;

    gb_buf_adds(&buf, text);
    r = gb_guard_report_read(report, &buf, NULL);
    *ret_left = buf.size;
    gb_buf_release(&buf);
    return r;
}

START_TEST(reads_reports)
{
    struct gb_guard_report report = {0};
    struct gb_buf text = {0};
    size_t left;

    ck_assert_int_eq(read_text(&report,
                               "stage limits ok\nstage seccomp failed no\x1b[2J way\n"
                               "stage user failed other\npid 42\nerror it is over\nstage li",
                               &left),
                     0);
    ck_assert_uint_eq(left, strlen("stage li"));
    ck_assert_uint_eq(report.applied, GB_GUARD_LIMITS);
    ck_assert_uint_eq(report.failed, GB_GUARD_SECCOMP | GB_GUARD_USER);
    ck_assert_str_eq(report.reason, "no?[2J way");
    ck_assert_int_eq(report.pid, 42);
    ck_assert_str_eq(report.error, "it is over");
    gb_guard_describe_missing(&text, &report, GB_GUARD_LIMITS | GB_GUARD_SECCOMP);
    ck_assert_str_eq(gb_buf_str(&text), "seccomp (no?[2J way)");
    gb_buf_clear(&text);
    gb_guard_describe_missing(&text, &report, GB_GUARD_LIMITS);
    ck_assert_uint_eq(text.size, 0);
    gb_buf_release(&text);
}
END_TEST

START_TEST(refuses_what_no_launcher_writes)
{
    static const char *const bad[] = {
        "stage seccomp perhaps\n",
        "stage nothing ok\n",
        "stage seccomp\n",
        "pid 0\n",
        "pid -1\n",
        "pid 1x\n",
        "pid 1234567890\n",
        "hello\n",
        "\n",
        "error\n",
    };
    struct gb_guard_report report = {0};
    char *line = xmalloc(1000);
    size_t left;

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        ck_assert_msg(read_text(&report, bad[i], &left) < 0, "%s", bad[i]);
    ck_assert_uint_eq(report.applied | report.failed, 0);
    memset(line, 'x', 999);
    line[999] = '\0';
    ck_assert_int_lt(read_text(&report, line, &left), 0);
    free(line);
    /* One QEMU a launcher. */
    ck_assert_int_eq(read_text(&report, "pid 2\n", &left), 0);
    ck_assert_int_lt(read_text(&report, "pid 3\n", &left), 0);
}
END_TEST

START_TEST(names_stages)
{
    for (unsigned i = 0; i < GB_GUARD_STAGE_COUNT; i++) {
        ck_assert_str_ne(gb_guard_name((enum gb_guard_stage)(1u << i)), "?");
        ck_assert_uint_gt(strlen(gb_guard_sentence((enum gb_guard_stage)(1u << i))), 20);
    }
    ck_assert_str_eq(gb_guard_name((enum gb_guard_stage)GB_GUARD_ALL), "?");
    ck_assert_str_eq(gb_guard_name(GB_GUARD_SECCOMP), "seccomp");
}
END_TEST

struct outcome {
    struct gb_guard_report report;
    struct gb_err err;
    int calls;
};

static void on_probed(void *arg, const struct gb_guard_report *report, const struct gb_err *err)
{
    struct outcome *outcome = arg;

    outcome->calls++;
    if (report != NULL)
        outcome->report = *report;
    if (err != NULL)
        outcome->err = *err;
}

static void probe(const char *launcher, struct outcome *outcome)
{
    struct gb_loop *loop;
    uv_loop_t uv;

    uv_loop_init(&uv);
    loop = gb_loop_new(&uv);
    gb_guard_probe(loop, launcher, on_probed, outcome);
    ck_assert_int_eq(outcome->calls, 0);
    while (outcome->calls == 0)
        uv_run(&uv, UV_RUN_ONCE);
    gb_loop_free(loop);
    uv_run(&uv, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&uv), 0);
}

/* The launcher stands in the folder above the tests'. */
static char *launcher_path(void)
{
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

    ck_assert_int_gt(n, 0);
    path[n] = '\0';
    *strrchr(path, '/') = '\0';
    return xasprintf("%s/../glassbell-launcher", path);
}

START_TEST(probes)
{
    const uint32_t free_stages = GB_GUARD_DESCRIPTORS | GB_GUARD_LIMITS | GB_GUARD_NO_NEW_PRIVS |
                                 GB_GUARD_DEATH_SIGNAL | GB_GUARD_SECCOMP;
    struct outcome outcome = {0};
    char *launcher = launcher_path();

    probe(launcher, &outcome);
    ck_assert_msg(outcome.err.code == GB_OK, "%s", outcome.err.message);
    /* These need no right at all. */
    ck_assert_uint_eq(outcome.report.applied & free_stages, free_stages);
    /* Each wanted stage was tried, and told one way or the other. */
    ck_assert_uint_eq((outcome.report.applied | outcome.report.failed) & gb_guard_wanted(),
                      gb_guard_wanted());
    ck_assert_uint_eq(outcome.report.applied & outcome.report.failed, 0);
    free(launcher);

    outcome = (struct outcome){0};
    probe("/nonexistent/launcher", &outcome);
    ck_assert_int_ne(outcome.err.code, GB_OK);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("guard");
    TCase *tests = tcase_create("guard");

    tcase_set_timeout(tests, 30);
    tcase_add_test(tests, reads_reports);
    tcase_add_test(tests, refuses_what_no_launcher_writes);
    tcase_add_test(tests, names_stages);
    tcase_add_test(tests, probes);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}

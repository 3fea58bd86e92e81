/* SPDX-License-Identifier: Apache-2.0 */
/* Processes: found again, waited for, killed, and never mistaken for another. */
#include "platform/process.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check_run.h"

enum { LONG_MS = 30000, BLOCK = 8 << 20 };

/* A child that waits to be killed. */
static pid_t child(void)
{
    pid_t pid = fork();

    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        for (;;)
            (void)pause();
    }
    return pid;
}

static short ends(const struct gb_process *process, int limit_ms)
{
    struct pollfd wait = {.fd = process->fd, .events = POLLIN};

    ck_assert_int_ge(poll(&wait, 1, limit_ms), 0);
    return wait.revents;
}

START_TEST(is_killed_and_waited_for)
{
    struct gb_process process = GB_PROCESS_NONE, again = GB_PROCESS_NONE;
    pid_t pid = child();
    uint64_t start, other;
    int status;

    ck_assert_int_eq(gb_process_open(pid, &process), 0);
    ck_assert(gb_process_started(pid, &start));
    ck_assert(gb_process_started(pid, &other));
    ck_assert_uint_eq(start, other);
    ck_assert_int_eq(ends(&process, 0), 0);
    ck_assert_int_eq(gb_process_kill(&process), 0);
    ck_assert_int_ne(ends(&process, LONG_MS), 0);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(WTERMSIG(status), SIGKILL);

    /* Gone: not found, and not killed, whoever has the number next. */
    ck_assert_int_eq(gb_process_kill(&process), -ESRCH);
    ck_assert_int_eq(gb_process_open(pid, &again), -ESRCH);
    ck_assert(!gb_process_started(pid, &start));
    ck_assert_int_eq(again.fd, -1);
    gb_process_close(&process);
    ck_assert_int_eq(process.fd, -1);
    gb_process_close(&process);
}
END_TEST

START_TEST(tells_what_is_used)
{
    struct gb_process_usage before, after;
    struct gb_err err;
    char *block;
    pid_t pid = child();

    ck_assert_int_eq(gb_process_usage(getpid(), &before, &err), 0);
    block = malloc(BLOCK);
    ck_assert_ptr_nonnull(block);
    memset(block, 1, BLOCK);
    ck_assert_int_eq(gb_process_usage(getpid(), &after, &err), 0);
    ck_assert_uint_ge(after.pss_bytes, before.pss_bytes + BLOCK / 2);
    ck_assert_uint_ge(after.anonymous_bytes, before.anonymous_bytes + BLOCK / 2);
    ck_assert_uint_ge(after.private_bytes, BLOCK / 2);
    ck_assert_uint_ge(after.cpu_ns, before.cpu_ns);
    ck_assert_uint_ge(gb_process_own_memory(), BLOCK);
    free(block);

    (void)kill(pid, SIGKILL);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
    ck_assert_int_lt(gb_process_usage(pid, &after, &err), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("process");
    TCase *tests = tcase_create("process");

    tcase_add_test(tests, is_killed_and_waited_for);
    tcase_add_test(tests, tells_what_is_used);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}

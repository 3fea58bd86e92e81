/* SPDX-License-Identifier: Apache-2.0 */
#include "guard/launcher/tracking.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check_run.h"

/* A program that is traced, and stands before its first instruction. */
static pid_t child;
static int stopped;

static void setup(void)
{
    child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        tracking_expect();
        (void)execl("/bin/sleep", "sleep", "1000", (char *)NULL);
        _exit(1);
    }
    ck_assert_int_eq(waitpid(child, &stopped, 0), child);
    ck_assert(WIFSTOPPED(stopped) && WSTOPSIG(stopped) == SIGTRAP);
}

static void teardown(void)
{
    (void)kill(child, SIGKILL);
    (void)waitpid(child, NULL, 0);
}

static bool has_descriptor(void)
{
    char folder[64], target[64];
    const struct dirent *entry;
    bool found = false;
    DIR *files;

    (void)snprintf(folder, sizeof(folder), "/proc/%d/fd", (int)child);
    files = opendir(folder);
    ck_assert_ptr_nonnull(files);
    while ((entry = readdir(files)) != NULL) {
        ssize_t n = readlinkat(dirfd(files), entry->d_name, target, sizeof(target) - 1);

        target[n > 0 ? n : 0] = '\0';
        found = found || strcmp(target, "anon_inode:[userfaultfd]") == 0;
    }
    (void)closedir(files);
    return found;
}

/* Whether this kernel lets a process have one. */
static bool kernel_has_descriptors(void)
{
    bool has;

    ck_assert(tracking_give(child, stopped));
    has = has_descriptor();
    teardown();
    setup();
    return has;
}

static void await(int options, int code, int signum)
{
    siginfo_t info = {0};

    ck_assert_int_eq(waitid(P_PID, (id_t)child, &info, options | WNOWAIT), 0);
    ck_assert_int_eq(info.si_code, code);
    ck_assert_int_eq(info.si_status, signum);
}

START_TEST(stops_if_told_so_meanwhile)
{
    bool has = kernel_has_descriptors();

    ck_assert_int_eq(kill(child, SIGSTOP), 0);
    ck_assert(tracking_give(child, stopped));
    await(WSTOPPED, CLD_STOPPED, SIGSTOP);
    ck_assert(has_descriptor() == has);
    ck_assert_int_eq(kill(child, SIGCONT), 0);
    await(WCONTINUED, CLD_CONTINUED, SIGCONT);
}
END_TEST

START_TEST(ends_if_told_so_meanwhile)
{
    ck_assert_int_eq(kill(child, SIGTERM), 0);
    ck_assert(tracking_give(child, stopped));
    await(WEXITED, CLD_KILLED, SIGTERM);
}
END_TEST

START_TEST(takes_back_what_was_taken_back)
{
    bool has = kernel_has_descriptors();

    /* The second takes the first back. */
    ck_assert_int_eq(kill(child, SIGSTOP), 0);
    ck_assert_int_eq(kill(child, SIGCONT), 0);
    ck_assert_int_eq(kill(child, SIGWINCH), 0);
    ck_assert(tracking_give(child, stopped));
    ck_assert(has_descriptor() == has);
    ck_assert_int_eq(kill(child, SIGTERM), 0); /* which a stopped one does not follow */
    await(WEXITED, CLD_KILLED, SIGTERM);
}
END_TEST

START_TEST(is_told_more_than_can_be_kept)
{
    const union sigval nothing = {0};

    for (int i = 0; i < 100; i++)
        ck_assert_int_eq(sigqueue(child, SIGRTMIN, nothing), 0);
    ck_assert(tracking_give(child, stopped));
    await(WEXITED, CLD_KILLED, SIGRTMIN);
}
END_TEST

START_TEST(is_killed_meanwhile)
{
    ck_assert_int_eq(kill(child, SIGKILL), 0);
    (void)tracking_give(child, stopped);
    await(WEXITED, CLD_KILLED, SIGKILL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tracking");
    TCase *tests = tcase_create("tracking");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 20);
    tcase_add_test(tests, stops_if_told_so_meanwhile);
    tcase_add_test(tests, ends_if_told_so_meanwhile);
    tcase_add_test(tests, takes_back_what_was_taken_back);
    tcase_add_test(tests, is_told_more_than_can_be_kept);
    tcase_add_test(tests, is_killed_meanwhile);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Journals that servers at other sockets have left: which of them go, and which stay. */
#include "journal/testing.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

static char *beside(const char *name)
{
    return xasprintf("%s/%s", folder, name);
}

/* A journal that was last used @days ago and has @size bytes. */
static void make_other(const char *name, int days, off_t size)
{
    _cleanup_(freep) char *path = beside(name);
    const char *const files[] = {"lock", "0000000001.gbj"};
    const struct timespec times[] = {{time(NULL) - (time_t)days * 86400, 0},
                                     {time(NULL) - (time_t)days * 86400, 0}};

    ck_assert_int_eq(mkdir(path, 0700), 0);
    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        _cleanup_(freep) char *file = xasprintf("%s/%s", path, files[i]);
        int fd = open(file, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(ftruncate(fd, i == 0 ? 0 : size), 0);
        ck_assert_int_eq(futimens(fd, times), 0);
        (void)close(fd);
    }
}

static bool there(const char *name)
{
    _cleanup_(freep) char *path = beside(name);

    return access(path, F_OK) == 0;
}

START_TEST(journals_of_other_sockets)
{
    _cleanup_(freep) char *own = beside("journal-00000000000000aa");
    _cleanup_(freep) char *lock = beside("journal-0000000000000003/lock");
    _cleanup_(freep) char *odd = beside("journal-0000000000000004/diary.txt");
    _cleanup_(freep) char *link = beside("journal-0000000000000005");
    int fd;

    make_other("journal-0000000000000001", 40, 10); /* too old */
    make_other("journal-0000000000000002", 20, 10);
    make_other("journal-0000000000000003", 40, 10); /* in use */
    make_other("journal-0000000000000004", 40, 10); /* with something of somebody's */
    make_other("journal-0000000000000006", 10, 500);
    make_other("journal-0000000000000007", 9, 500);
    make_other("journal", 40, 10);     /* the usual one */
    make_other("journal-old", 40, 10); /* not ours */
    ck_assert_int_eq(symlink("journal-old", link), 0);
    fd = open(lock, O_RDWR | O_CLOEXEC);
    ck_assert_int_eq(flock(fd, LOCK_EX), 0);
    ck_assert_int_eq(close(open(odd, O_CREAT | O_WRONLY | O_CLOEXEC, 0600)), 0);

    close_journal();
    config.folder = own;
    config.sweep = true;
    config.others_age_ms = UINT64_C(30) * 86400 * 1000;
    open_journal();
    close_journal(); /* what is under way is done before */
    ck_assert(!there("journal-0000000000000001"));
    for (int i = 2; i <= 7; i++) {
        char name[32];

        (void)snprintf(name, sizeof(name), "journal-%016d", i);
        ck_assert_msg(there(name), "%s", name);
    }
    ck_assert(there("journal") && there("journal-old") && there("journal-00000000000000aa"));

    config.others_size = 600; /* the oldest two of those that are free, then it is enough */
    open_journal();
    close_journal();
    ck_assert(!there("journal-0000000000000002") && !there("journal-0000000000000006"));
    ck_assert(there("journal-0000000000000007") && there("journal-0000000000000004"));
    (void)close(fd);
    config.sweep = false;
    config.folder = folder;
    open_journal();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sweep");
    TCase *cases = tcase_create("sweep");

    gb_log_open(-1, GB_LOG_ERROR);
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, journals_of_other_sockets);
    suite_add_tcase(suite, cases);
    return check_run(suite);
}

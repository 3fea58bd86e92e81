/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fd.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check_run.h"

static char folder[] = "/tmp/glassbell-fd-XXXXXX";

static char *beneath(const char *name)
{
    return xasprintf("%s/%s", folder, name);
}

START_TEST(directories)
{
    _cleanup_(freep) char *deep = beneath("a//b/c/"), *file = beneath("file"),
                          *below = beneath("file/x");
    struct gb_err err = {0};
    struct stat info;

    ck_assert_int_eq(gb_fd_make_dirs(deep, 0700, &err), 0);
    ck_assert_int_eq(gb_fd_make_dirs(deep, 0755, &err), 0);
    ck_assert_int_eq(stat(deep, &info), 0);
    ck_assert_uint_eq(info.st_mode, S_IFDIR | 0700);
    ck_assert_int_eq(gb_fd_make_dirs("/", 0700, &err), 0);
    ck_assert_int_eq(gb_fd_make_dirs("", 0700, &err), -GB_ENOTFOUND);
    ck_assert_int_eq(gb_fd_replace_file(file, gb_bytes_str("x"), 0600, &err), 0);
    ck_assert_int_lt(gb_fd_make_dirs(below, 0700, &err), 0);
}
END_TEST

START_TEST(whole_files)
{
    _cleanup_(freep) char *path = beneath("whole"), *none = beneath("none/whole");
    _cleanup_(gb_buf_release) struct gb_buf text = {0}, large = {0};
    struct gb_err err = {0};
    struct stat info;

    ck_assert_int_eq(gb_fd_replace_file(path, gb_bytes_str("old"), 0600, &err), 0);
    for (int i = 0; i < 5000; i++)
        gb_buf_adds(&large, "5 of\n");
    ck_assert_int_eq(gb_fd_replace_file(path, gb_buf_bytes(&large), 0600, &err), 0);
    ck_assert_int_eq(stat(path, &info), 0);
    ck_assert_uint_eq(info.st_mode & 07777, 0600);
    gb_buf_adds(&text, "before ");
    ck_assert_int_eq(gb_fd_read_file(path, large.size, &text, &err), 0);
    ck_assert_uint_eq(text.size, large.size + 7);
    ck_assert_mem_eq(gb_buf_data(&text) + 7, gb_buf_data(&large), large.size);
    ck_assert_int_eq(gb_fd_read_file(path, large.size - 1, &text, &err), -GB_ETOOLARGE);
    ck_assert_int_eq(gb_fd_read_file(none, 10, &text, &err), -GB_ENOTFOUND);
    ck_assert_int_eq(gb_fd_replace_file(none, gb_bytes_str("x"), 0600, &err), -GB_ENOTFOUND);
    ck_assert_int_lt(gb_fd_replace_file(folder, gb_bytes_str("x"), 0600, &err), 0);
}
END_TEST

START_TEST(copies)
{
    const int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    struct rlimit before, limit;
    struct gb_err err = {0};
    int copy = -2;

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(gb_fd_copy(-1, &copy, &err), 0);
    ck_assert_int_eq(copy, -1);
    ck_assert_int_eq(gb_fd_copy(fd, &copy, &err), 0);
    ck_assert_int_ne(copy, fd);
    ck_assert_int_eq(fcntl(copy, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    (void)gb_close(copy);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    limit = before;
    limit.rlim_cur = (rlim_t)copy; /* the lowest that is free */
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    copy = -2;
    ck_assert_int_eq(gb_fd_copy(fd, &copy, &err), -GB_ECAPACITY);
    ck_assert_int_eq(copy, -2);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    (void)gb_close(fd);
}
END_TEST

static void begin(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void end(void)
{
    static const char *const made[] = {"a/b/c", "a/b", "a", "file", "whole"};

    for (size_t i = 0; i < ARRAY_SIZE(made); i++) {
        _cleanup_(freep) char *path = beneath(made[i]);

        (void)remove(path);
    }
    (void)rmdir(folder);
}

int main(void)
{
    Suite *suite = suite_create("fd");
    TCase *tests = tcase_create("fd");

    tcase_add_checked_fixture(tests, begin, end);
    tcase_add_test(tests, directories);
    tcase_add_test(tests, whole_files);
    tcase_add_test(tests, copies);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Files without names, descriptors opened anew, the disk. */
#include "platform/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check_folder.h"
#include "check_run.h"
#include "base/fd.h"
#include "base/mem.h"
#include "platform/lock.h"
#include "platform/program.h"
#include "platform/random.h"
#include "platform/sort.h"

#include <poll.h>
#include <sys/file.h>

enum { LONG_MS = 30000, PART = 64 * 1024 };

static void setup(void)
{
    check_folder_make("file");
}

static void teardown(void)
{
    check_folder_remove();
}

static char *at(const char *name)
{
    return xasprintf("%s/%s", folder, name);
}

static void put(const char *path, const char *text)
{
    ck_assert_int_eq(gb_fd_replace_file(path, gb_bytes_str(text), 0600, NULL), 0);
}

static void check_text(const char *path, const char *expected)
{
    _cleanup_(gb_buf_release) struct gb_buf text = {0};

    ck_assert_int_eq(gb_fd_read_file(path, 4096, &text, NULL), 0);
    ck_assert_str_eq(gb_buf_str(&text), expected);
}

static void check_cloexec(int fd)
{
    ck_assert_int_ge(fd, 0);
    ck_assert_int_ne(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
}

START_TEST(a_descriptor_is_opened_anew)
{
    _cleanup_(closep) int file = gb_file_in_memory("test", NULL), writes = -1, reads = -1;
    _cleanup_(freep) char *path = NULL;
    char text[8] = "";

    check_cloexec(file);
    writes = gb_file_reopen(file, O_WRONLY);
    check_cloexec(writes);
    ck_assert_int_eq(write(writes, "abc", 3), 3);
    ck_assert_int_eq(read(writes, text, 3),
                     -1); /* for writing only, whatever the first one is for */
    ck_assert_int_eq(read(file, text, sizeof(text)), 3); /* its position is its own */
    path = gb_file_path_of(file);
    reads = open(path, O_RDONLY | O_CLOEXEC);
    ck_assert_int_ge(reads, 0);
    ck_assert_int_eq(read(reads, text, sizeof(text)), 3);
    ck_assert_int_lt(gb_file_reopen(-1, O_RDONLY), 0);
}
END_TEST

START_TEST(a_second_descriptor_writes_only)
{
    _cleanup_(closep) int writer = -1, file = gb_file_in_memory("test", &writer);
    char text[8] = "";

    check_cloexec(file);
    check_cloexec(writer);
    ck_assert_int_eq(write(writer, "abc", 3), 3);
    ck_assert_int_eq(fcntl(writer, F_GETFL) & O_ACCMODE, O_WRONLY);
    ck_assert_int_eq(read(writer, text, 3), -1);
    ck_assert_int_eq(read(file, text, sizeof(text)), 3); /* its position is its own */
    ck_assert_str_eq(text, "abc");
}
END_TEST

START_TEST(a_path_leads_to_a_descriptor)
{
    _cleanup_(closep) int file = gb_file_in_memory("test", NULL);
    _cleanup_(freep) char *path = gb_file_path_of(file);
    _cleanup_(freep) char *above = xstrndup(path, (size_t)(strrchr(path, '/') - path));

    ck_assert_int_eq(gb_file_own_descriptor(above, strrchr(path, '/') + 1), file);
    ck_assert(gb_file_kernel_links(above));
    ck_assert_int_eq(gb_file_own_descriptor(above, "x"), -1);
    ck_assert_int_eq(gb_file_own_descriptor(above, "1x"), -1);
    ck_assert_int_eq(gb_file_own_descriptor(above, "99999999999"), -1);
    ck_assert_int_eq(gb_file_own_descriptor(folder, "1"), -1);
    ck_assert(!gb_file_kernel_links(folder));
}
END_TEST

START_TEST(a_file_gets_its_name_late)
{
    _cleanup_(closep) int fd = gb_file_unnamed(folder);
    _cleanup_(freep) char *one = at("one"), *other = at("other");

    check_cloexec(fd);
    ck_assert_int_eq(write(fd, "text", 4), 4);
    put(other, "other");
    ck_assert_int_eq(gb_file_link(fd, other), -EEXIST);
    ck_assert_int_eq(gb_file_link(fd, one), 0);
    check_text(one, "text");
    check_text(other, "other");
}
END_TEST

START_TEST(names_change_places)
{
    _cleanup_(freep) char *one = at("one"), *other = at("other"), *third = at("third");

    put(one, "one");
    put(other, "other");
    ck_assert_int_eq(gb_file_rename_new(one, other), -EEXIST);
    check_text(other, "other");
    ck_assert_int_eq(gb_file_exchange(one, other), 0);
    check_text(one, "other");
    check_text(other, "one");
    ck_assert_int_eq(gb_file_rename_new(one, third), 0);
    check_text(third, "other");
    ck_assert_int_lt(gb_file_exchange(one, third), 0);
}
END_TEST

START_TEST(room_is_made_and_given_back)
{
    _cleanup_(freep) char *path = at("disk"), *block = xcalloc(1, PART), *back = xcalloc(1, PART);
    _cleanup_(closep) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    struct stat info, later;
    int r;

    memset(block, 1, PART);
    ck_assert_int_eq(pwrite(fd, block, PART, 0), PART);
    ck_assert_int_eq(gb_file_sync_data(fd), 0);
    ck_assert_int_eq(fstat(fd, &info), 0);
    r = gb_file_reserve(fd, 4 * PART);
    ck_assert_msg(r == 0 || r == -EOPNOTSUPP, "%d", r);
    ck_assert_int_eq(fstat(fd, &later), 0);
    ck_assert_int_eq(later.st_size, PART);
    r = gb_file_punch_hole(fd, 0, PART);
    ck_assert_msg(r == 0 || r == -EOPNOTSUPP, "%d", r);
    memset(block, 0, PART);
    ck_assert_int_eq(pread(fd, back, PART, 0), PART);
    ck_assert(r != 0 || memcmp(back, block, PART) == 0);
    ck_assert(gb_file_mtime_ns(&info) > INT64_C(1600000000) * 1000000000);
    ck_assert_int_ge(gb_file_ctime_ns(&later), gb_file_mtime_ns(&info));
}
END_TEST

START_TEST(a_lock_that_is_given_back_is_told)
{
    _cleanup_(freep) char *path = at("lock");
    int held = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    _cleanup_(gb_lock_watch_close) struct gb_lock_watch watch = GB_LOCK_WATCH_NONE;
    struct gb_lock_watch none = GB_LOCK_WATCH_NONE;
    struct pollfd wait;

    ck_assert_int_eq(flock(held, LOCK_EX), 0);
    ck_assert_int_eq(gb_lock_watch_open(path, &watch), 0);
    check_cloexec(watch.fd);
    wait = (struct pollfd){.fd = watch.fd, .events = POLLIN};
    ck_assert_int_eq(poll(&wait, 1, 0), 0);
    ck_assert(!gb_lock_watch_take(&watch));
    ck_assert_int_eq(gb_close(held), -1);
    ck_assert_int_eq(poll(&wait, 1, LONG_MS), 1);
    ck_assert(gb_lock_watch_take(&watch));
    ck_assert_int_eq(poll(&wait, 1, 0), 0);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(poll(&wait, 1, LONG_MS), 1);
    ck_assert_int_eq(gb_lock_watch_open(path, &none), -ENOENT);
    ck_assert_int_eq(none.fd, -1);
}
END_TEST

START_TEST(the_program_is_where_it_is)
{
    _cleanup_(freep) char *above = gb_program_folder(), *again = gb_program_again();

    ck_assert_ptr_nonnull(above);
    ck_assert_int_eq(access(above, X_OK), 0);
    ck_assert_int_eq(access(again, X_OK), 0);
    ck_assert_int_eq(strncmp(again, above, strlen(above)), 0);
}
END_TEST

static int compare(const void *a, const void *b, void *arg)
{
    const unsigned char *one = a, *other = b, *order = arg;

    return (int)order[*one] - (int)order[*other];
}

START_TEST(sorts_by_what_is_given)
{
    unsigned char items[] = {0, 1, 2, 3}, order[] = {3, 0, 2, 1};

    gb_sort(items, 4, 1, compare, order);
    ck_assert_mem_eq(items, "\1\3\2\0", 4);
}
END_TEST

START_TEST(random_numbers_differ)
{
    unsigned char one[GB_RANDOM_MAX] = {0}, other[GB_RANDOM_MAX] = {0};

    ck_assert_int_eq(gb_random_fill(one, sizeof(one)), 0);
    ck_assert_int_eq(gb_random_fill(other, sizeof(other)), 0);
    ck_assert_int_ne(memcmp(one, other, sizeof(one)), 0);
    ck_assert_int_ne(memcmp(one + GB_RANDOM_MAX - 16, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("file");
    TCase *tests = tcase_create("file");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, a_descriptor_is_opened_anew);
    tcase_add_test(tests, a_second_descriptor_writes_only);
    tcase_add_test(tests, a_path_leads_to_a_descriptor);
    tcase_add_test(tests, a_file_gets_its_name_late);
    tcase_add_test(tests, names_change_places);
    tcase_add_test(tests, room_is_made_and_given_back);
    tcase_add_test(tests, a_lock_that_is_given_back_is_told);
    tcase_add_test(tests, the_program_is_where_it_is);
    tcase_add_test(tests, sorts_by_what_is_given);
    tcase_add_test(tests, random_numbers_differ);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}

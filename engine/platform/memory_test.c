/* SPDX-License-Identifier: Apache-2.0 */
/* The memory of another process: exactly the pages that it wrote to are its own, they are read as
 * they are, and what is written into them is what it sees. */
#include "platform/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check_run.h"
#include "base/fd.h"
#include "platform/linux/pagemap.h"

enum { PAGES = 70000, BLOCKED = 66000 }; /* more than is moved in one call */

static struct gb_err err;
static struct gb_memory memory = GB_MEMORY_NONE;
static int file = -1, to_child[2], to_parent[2];
static struct stat info;
static pid_t pid;
static bool own[PAGES];

/* Some pages, alone and in runs, and one run that is very long. */
static void choose(void)
{
    srandom(11);
    for (size_t i = 0; i < 300; i++) {
        size_t first = (size_t)random() % PAGES, count = 1 + (size_t)random() % 9;

        for (size_t page = first; page < MIN(first + count, (size_t)PAGES); page++)
            own[page] = true;
    }
    for (size_t page = 2000; page < BLOCKED + 500; page++)
        own[page] = page % 11000 != 7;
}

static uint64_t number_at(uint8_t *at)
{
    uint64_t number;

    memcpy(&number, at, sizeof(number));
    return number;
}

/* The child: writes to its pages, waits, says what it finds. */
static _Noreturn void child(void)
{
    uint8_t *at = mmap(NULL, (size_t)PAGES * GB_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
    volatile uint8_t sum = 0;
    uint64_t total = 0;
    char byte = 'x';

    if (at == MAP_FAILED)
        _exit(2);
    for (uint64_t page = 0; page < PAGES; page++) {
        if (own[page])
            memcpy(at + page * GB_PAGE, &page, sizeof(page));
        else if (page % 3 == 0)
            sum = (uint8_t)(sum + at[page * GB_PAGE]); /* what is only read stays the file's */
    }
    if (write(to_parent[1], &byte, 1) != 1 || read(to_child[0], &byte, 1) != 1)
        _exit(3);
    for (size_t page = 0; page < PAGES; page++)
        total += number_at(at + page * GB_PAGE) * (page + 1);
    if (write(to_parent[1], &total, sizeof(total)) != (ssize_t)sizeof(total))
        _exit(4);
    _exit(0);
}

static void setup(void)
{
    char path[] = "/tmp/glassbell-memory-test-XXXXXX", byte;

    file = mkstemp(path);
    ck_assert_int_ge(file, 0);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(ftruncate(file, (off_t)PAGES * GB_PAGE), 0);
    ck_assert_int_eq(fstat(file, &info), 0);
    ck_assert_int_eq(pipe2(to_child, O_CLOEXEC) | pipe2(to_parent, O_CLOEXEC), 0);
    choose();
    pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0)
        child();
    ck_assert_int_eq(read(to_parent[0], &byte, 1), 1);
    ck_assert_msg(gb_memory_open(pid, &info, &memory, &err) == 0, "%s", err.message);
}

static void teardown(void)
{
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, NULL, 0);
    gb_memory_close(&memory);
    file = gb_close(file);
    for (int i = 0; i < 2; i++) {
        (void)gb_close(to_child[i]);
        (void)gb_close(to_parent[i]);
    }
}

static size_t check_ranges(const struct gb_buf *buf)
{
    const size_t count = buf->size / sizeof(struct gb_page_range);
    static bool found[PAGES];
    size_t behind = 0;

    memset(found, 0, sizeof(found));
    for (size_t i = 0; i < count; i++) {
        struct gb_page_range range;

        memcpy(&range, gb_buf_data(buf) + i * sizeof(range), sizeof(range));
        ck_assert_uint_gt(range.count, 0);
        ck_assert(i == 0 || range.first > behind);
        behind = (size_t)range.first + range.count;
        ck_assert_uint_le(behind, PAGES);
        for (uint32_t page = 0; page < range.count; page++)
            found[range.first + page] = true;
    }
    ck_assert_int_eq(memcmp(found, own, sizeof(own)), 0);
    return count;
}

START_TEST(finds_what_is_written)
{
    struct gb_buf ranges = {0};
    int r;

    ck_assert_uint_eq(memory.pages, PAGES);
    ck_assert_int_eq(gb_memory_private(&memory, &ranges, &err), 0);
    (void)check_ranges(&ranges);
    gb_buf_clear(&ranges);
    ck_assert_int_eq(pagemap_read(memory.pages_fd, memory.start, PAGES, &ranges), 0);
    (void)check_ranges(&ranges);
    gb_buf_clear(&ranges);
    r = pagemap_scan(memory.pages_fd, memory.start, PAGES, &ranges);
    if (r == 0)
        (void)check_ranges(&ranges);
    else
        ck_assert_int_eq(r, -ENOTTY); /* an older kernel */
    gb_buf_release(&ranges);
}
END_TEST

START_TEST(reads_and_writes)
{
    struct gb_buf buf = {0};
    const struct gb_page_range *ranges;
    uint8_t *data = malloc((size_t)PAGES * GB_PAGE), *at = data;
    uint64_t total, expected = 0;
    size_t count;

    ck_assert_ptr_nonnull(data);
    ck_assert_int_eq(gb_memory_private(&memory, &buf, &err), 0);
    count = check_ranges(&buf);
    ranges = (const void *)gb_buf_data(&buf);
    ck_assert_msg(gb_memory_read(&memory, ranges, count, data, &err) == 0, "%s", err.message);
    for (uint64_t page = 0; page < PAGES; page++) {
        if (!own[page])
            continue;
        ck_assert_uint_eq(number_at(at), page);
        page ^= 5;
        memcpy(at, &page, sizeof(page));
        page ^= 5;
        expected += (page ^ 5) * (page + 1);
        at += GB_PAGE;
    }
    ck_assert_msg(gb_memory_write(&memory, ranges, count, data, &err) == 0, "%s", err.message);
    ck_assert_int_eq(write(to_child[1], "x", 1), 1);
    ck_assert_int_eq(read(to_parent[0], &total, sizeof(total)), (ssize_t)sizeof(total));
    ck_assert_uint_eq(total, expected);
    free(data);
    gb_buf_release(&buf);
}
END_TEST

/* Other pages become its own by being written to from here. */
START_TEST(what_is_written_is_its_own)
{
    const struct gb_page_range two[] = {{1, 1}, {PAGES - 1, 1}};
    static uint8_t data[2 * GB_PAGE];
    struct gb_buf buf = {0};

    ck_assert_int_eq(gb_memory_write(&memory, two, 2, data, &err), 0);
    own[1] = own[PAGES - 1] = true;
    ck_assert_int_eq(gb_memory_private(&memory, &buf, &err), 0);
    (void)check_ranges(&buf);
    gb_buf_release(&buf);
}
END_TEST

START_TEST(the_dead_are_told)
{
    const struct gb_page_range one = {2, 1};
    static uint8_t data[GB_PAGE];
    struct gb_memory other = GB_MEMORY_NONE;

    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
    ck_assert_int_eq(gb_memory_read(&memory, &one, 1, data, &err), -GB_ECLOSED);
    ck_assert_int_lt(gb_memory_open(pid, &info, &other, &err), 0);
    ck_assert_int_eq(other.pages_fd, -1);
}
END_TEST

/* A process that does nothing, with this number; -1: we may not choose it. */
static pid_t start_as(pid_t number)
{
    struct clone_args args = {
        .exit_signal = SIGCHLD, .set_tid = (uintptr_t)&number, .set_tid_size = 1};
    const long started = syscall(SYS_clone3, &args, sizeof(args));

    if (started == 0)
        for (;;)
            (void)pause();
    return (pid_t)started;
}

/* Which has the same addresses, as we do, and is not touched. */
START_TEST(another_of_the_same_number_is_not_touched)
{
    const struct gb_page_range one = {2, 1};
    static uint8_t data[GB_PAGE] = {1};
    uint8_t *at;
    pid_t other;

    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
    at = mmap((void *)(uintptr_t)memory.start, (size_t)PAGES * GB_PAGE, PROT_READ | PROT_WRITE,
              MAP_PRIVATE | MAP_FIXED_NOREPLACE, file, 0);
    ck_assert_ptr_eq(at, (void *)(uintptr_t)memory.start);
    other = start_as(pid);
    if (other == pid) {
        ck_assert_int_eq(gb_memory_write(&memory, &one, 1, data, &err), -GB_ECLOSED);
        ck_assert_int_eq(gb_memory_read(&memory, &one, 1, data, &err), -GB_ECLOSED);
        ck_assert_int_eq(kill(other, SIGKILL), 0);
        ck_assert_int_eq(waitpid(other, NULL, 0), other);
    } else {
        ck_assert(other < 0 && (errno == EPERM || errno == ENOSYS)); /* not as root */
    }
}
END_TEST

START_TEST(what_is_not_mapped_is_not_found)
{
    struct gb_memory other = GB_MEMORY_NONE;
    struct stat another;

    ck_assert_int_eq(stat("/etc/passwd", &another), 0);
    ck_assert_int_eq(gb_memory_open(pid, &another, &other, &err), -GB_ENOTFOUND);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("platform/memory");
    TCase *tests = tcase_create("memory");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, finds_what_is_written);
    tcase_add_test(tests, reads_and_writes);
    tcase_add_test(tests, what_is_written_is_its_own);
    tcase_add_test(tests, the_dead_are_told);
    tcase_add_test(tests, another_of_the_same_number_is_not_touched);
    tcase_add_test(tests, what_is_not_mapped_is_not_found);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}

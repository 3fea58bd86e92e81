/* SPDX-License-Identifier: Apache-2.0 */
/* Device state on its way, with a test in QEMU's place. */
#include "vm/state.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check_run.h"
#include "base/fd.h"
#include "base/mem.h"

static uv_loop_t uv;
static struct gb_loop *loop;
static char path[] = "/tmp/glassbell-state-test-XXXXXX";

static void setup(void)
{
    uv_loop_init(&uv);
    loop = gb_loop_new(&uv);
}

static void teardown(void)
{
    gb_loop_free(loop);
    uv_run(&uv, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&uv), 0);
}

/* A file without a name. */
static int make_file(void)
{
    char name[sizeof(path)];
    int fd;

    memcpy(name, path, sizeof(path));
    fd = mkostemp(name, O_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(unlink(name), 0);
    return fd;
}

/* Bytes whose order shows. */
static uint8_t byte_at(size_t i)
{
    return (uint8_t)(i * 7 + i / 251);
}

static void fill(struct gb_buf *buf, size_t size)
{
    gb_buf_clear(buf);
    for (size_t i = 0; i < size; i++)
        gb_buf_add_u8(buf, byte_at(i));
}

static void check_bytes(const uint8_t *data, size_t at, size_t size)
{
    size_t i = 0;

    while (i < size && data[i] == byte_at(at + i))
        i++;
    ck_assert_uint_eq(i, size);
}

static void check_file(int file, size_t size)
{
    struct gb_buf text = {0};
    char *name = xasprintf("/proc/self/fd/%d", file);

    ck_assert_int_eq(gb_fd_read_file(name, STATE_MAX, &text, NULL), 0);
    ck_assert_uint_eq(text.size, size);
    check_bytes(gb_buf_data(&text), 0, size);
    gb_buf_release(&text);
    free(name);
}

/* Writes as QEMU does, whose copy of a descriptor is truncated and written to from where it is. */
static void write_anew(int fd, struct gb_bytes bytes)
{
    ck_assert_int_eq(ftruncate(fd, 0), 0);
    ck_assert_int_eq(gb_fd_write_full(fd, bytes.data, bytes.size), (ssize_t)bytes.size);
}

START_TEST(takes_what_qemu_writes)
{
    static const size_t sizes[] = {STATE_MAX, 0, 1, 12500, STATE_PIECE, STATE_PIECE + 1, 3 << 20};
    struct state_sink *sink;
    struct gb_buf bytes = {0};
    struct gb_err err = {0};
    struct stat info;
    int theirs;

    ck_assert_int_eq(state_sink_new(&sink, &err), 0);
    theirs = dup(state_sink_fd(sink));
    ck_assert_int_eq(fcntl(theirs, F_GETFL) & O_ACCMODE, O_WRONLY);
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        int file = make_file();

        fill(&bytes, sizes[i]);
        if (i % 2 == 0) { /* one that failed leaves something */
            ck_assert_int_eq(gb_fd_write_full(theirs, "left", 4), 4);
            ck_assert_int_eq(state_sink_begin(sink, &err), 0);
        }
        write_anew(theirs, gb_buf_bytes(&bytes));
        ck_assert_msg(state_sink_take(sink, file, &err) == 0, "%s", err.message);
        check_file(file, sizes[i]);
        (void)gb_close(file);
        ck_assert_int_eq(fstat(theirs, &info), 0);
        ck_assert_int_eq(info.st_size, 0); /* it keeps no memory */
    }
    gb_buf_release(&bytes);
    (void)gb_close(theirs);
    state_sink_free(sink);
}
END_TEST

START_TEST(tells_what_it_cannot_take)
{
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC), file = make_file(), theirs;
    struct state_sink *sink;
    struct gb_buf bytes = {0};
    struct gb_err err = {0};

    ck_assert_int_eq(state_sink_new(&sink, &err), 0);
    theirs = dup(state_sink_fd(sink));
    fill(&bytes, 1 << 20);
    write_anew(theirs, gb_buf_bytes(&bytes));
    ck_assert_int_lt(state_sink_take(sink, full, &err), 0);
    ck_assert_ptr_nonnull(strstr(err.message, "No space left"));
    /* One that has been taken over fills no disk. */
    ck_assert_int_eq(ftruncate(theirs, (off_t)STATE_MAX + 1), 0);
    ck_assert_int_eq(state_sink_take(sink, file, &err), -GB_ETOOLARGE);
    ck_assert_int_le(lseek(file, 0, SEEK_END), STATE_MAX);
    /* And the next one is as good as any. */
    ck_assert_int_eq(ftruncate(file, 0), 0);
    ck_assert_int_eq(lseek(file, 0, SEEK_SET), 0);
    fill(&bytes, 1000);
    write_anew(theirs, gb_buf_bytes(&bytes));
    ck_assert_int_eq(state_sink_take(sink, file, &err), 0);
    check_file(file, 1000);
    gb_buf_release(&bytes);
    (void)gb_close(theirs);
    (void)gb_close(full);
    (void)gb_close(file);
    state_sink_free(sink);
}
END_TEST

START_TEST(feeds_all_of_a_file)
{
    static const size_t sizes[] = {0, 1, 12500, STATE_PIECE, STATE_PIECE + 1, 3 << 20};

    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        int file = make_file(), theirs;
        struct gb_buf bytes = {0};
        struct state_feed *feed;
        size_t at = 0;
        ssize_t n;

        fill(&bytes, sizes[i]);
        ck_assert_int_eq(gb_fd_write_full(file, gb_buf_data(&bytes), bytes.size),
                         (ssize_t)sizes[i]);
        ck_assert_int_eq(lseek(file, 0, SEEK_SET), 0);
        ck_assert_int_eq(state_feed_new(loop, file, &feed, &theirs, NULL), 0);
        ck_assert_int_eq(gb_fd_set_nonblocking(theirs, true), 0);
        for (;;) {
            uint8_t piece[5000];

            n = read(theirs, piece, sizeof(piece));
            if (n == 0)
                break;
            if (n > 0) {
                check_bytes(piece, at, (size_t)n);
                at += (size_t)n;
            }
            uv_run(&uv, UV_RUN_NOWAIT);
        }
        ck_assert_uint_eq(at, sizes[i]);
        gb_buf_release(&bytes);
        (void)gb_close(theirs);
        state_feed_free(feed);
        (void)gb_close(file);
    }
}
END_TEST

/* It is over when QEMU says so, wherever the feed is. */
START_TEST(ends_in_the_middle)
{
    int file = make_file(), theirs;
    struct gb_buf bytes = {0};
    struct state_feed *feed;

    fill(&bytes, 3 << 20);
    ck_assert_int_eq(gb_fd_write_full(file, gb_buf_data(&bytes), bytes.size), 3 << 20);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(lseek(file, 0, SEEK_SET), 0);
        ck_assert_int_eq(state_feed_new(loop, file, &feed, &theirs, NULL), 0);
        uv_run(&uv, UV_RUN_NOWAIT);
        if (i == 0)
            (void)gb_close(theirs); /* QEMU has died */
        for (int turn = 0; turn < 10; turn++)
            uv_run(&uv, UV_RUN_NOWAIT);
        state_feed_free(feed);
        if (i == 1)
            (void)gb_close(theirs);
    }
    gb_buf_release(&bytes);
    (void)gb_close(file);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("state");
    TCase *tests = tcase_create("state");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, takes_what_qemu_writes);
    tcase_add_test(tests, tells_what_it_cannot_take);
    tcase_add_test(tests, feeds_all_of_a_file);
    tcase_add_test(tests, ends_in_the_middle);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}

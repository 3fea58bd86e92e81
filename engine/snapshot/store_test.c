/* SPDX-License-Identifier: Apache-2.0 */
/* The template store and its lock, without VMs: what is published is found, what is damaged or
 * foreign is not, limits are kept, and a lock is waited for without polling. */
#include "snapshot/store.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check_run.h"
#include "base/fd.h"
#include "base/mem.h"
#include "snapshot/lock.h"

enum { RAM_BYTES = 4 << 20, PAGE = 4096 };

static char folder[64];
static char name[GB_SNAPSHOT_NAME_HEX + 1];
static struct gb_err err;

static struct gb_bytes key(void)
{
    return gb_bytes_str("format 1\nqemu 7\n");
}

static void setup(void)
{
    (void)snprintf(folder, sizeof(folder), "/tmp/glassbell-store-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    gb_snapshot_name(key(), name);
    ck_assert_uint_eq(strlen(name), GB_SNAPSHOT_NAME_HEX);
}

static void teardown(void)
{
    char command[128];

    (void)snprintf(command, sizeof(command), "rm -rf %s", folder);
    ck_assert_int_eq(system(command), 0); /* allowed: a folder of the test's */
}

/* What a builder leaves: memory with a few pages that are not zero, and device state. */
static void make_files(const char *of)
{
    _cleanup_(freep) char *ram = gb_snapshot_new_path(folder, of, "ram");
    _cleanup_(freep) char *state = gb_snapshot_new_path(folder, of, "state");
    _cleanup_(freep) char *zero = xcalloc(1, RAM_BYTES);
    int fd;

    ck_assert_int_eq(gb_snapshot_begin(folder, of, RAM_BYTES, &err), 0);
    memset(zero + 3 * PAGE, 'x', PAGE);
    zero[RAM_BYTES - 1] = 'y';
    fd = open(ram, O_RDWR | O_CREAT, 0600);
    ck_assert_int_eq(gb_fd_write_full(fd, zero, RAM_BYTES), RAM_BYTES);
    close(fd);
    ck_assert_int_eq(gb_fd_replace_file(state, gb_bytes_str("devices"), 0600, &err), 0);
}

static void publish(void)
{
    struct gb_snapshot_files files = GB_SNAPSHOT_FILES_NONE;

    make_files(name);
    ck_assert_msg(gb_snapshot_publish(folder, name, key(), &files, &err) == 0, "%s", err.message);
    ck_assert_uint_eq(files.ram_bytes, RAM_BYTES);
    ck_assert_uint_lt(files.disk_bytes, RAM_BYTES / 4);
    gb_snapshot_files_release(&files);
}

static int try_open(struct gb_bytes of)
{
    struct gb_snapshot_files files = GB_SNAPSHOT_FILES_NONE;
    int r = gb_snapshot_open(folder, name, of, &files, &err);

    gb_snapshot_files_release(&files);
    return r;
}

static char *path_of(const char *file)
{
    return xasprintf("%s/%s/%s", folder, name, file);
}

static void change_byte(const char *file, off_t at)
{
    _cleanup_(freep) char *path = path_of(file);
    int fd = open(path, O_RDWR);
    char byte;

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(pread(fd, &byte, 1, at), 1);
    byte ^= 1;
    ck_assert_int_eq(pwrite(fd, &byte, 1, at), 1);
    close(fd);
}

START_TEST(finds_what_was_published)
{
    ck_assert_int_eq(try_open(key()), -GB_ENOTFOUND);
    publish();
    ck_assert_msg(try_open(key()) == 0, "%s", err.message);
    /* In its place, whole. */
    publish();
    ck_assert_int_eq(try_open(key()), 0);
}
END_TEST

START_TEST(refuses_what_is_damaged)
{
    static const struct {
        const char *file;
        off_t at;
    } places[] = {{"ram", 3 * PAGE + 7}, {"ram", RAM_BYTES - 1}, {"ram", PAGE}, {"state", 0}};

    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        publish();
        change_byte(places[i].file, places[i].at);
        ck_assert_int_eq(try_open(key()), -GB_EINVALID);
        ck_assert_ptr_nonnull(strstr(err.message, "damaged"));
    }
}
END_TEST

START_TEST(refuses_what_is_cut_or_missing)
{
    static const char *const files[] = {"ram", "state", "manifest"};

    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        _cleanup_(freep) char *path = path_of(files[i]);

        publish();
        ck_assert_int_eq(truncate(path, 5), 0);
        ck_assert_int_eq(try_open(key()), -GB_EINVALID);
        publish();
        ck_assert_int_eq(unlink(path), 0);
        ck_assert_int_eq(try_open(key()), -GB_EINVALID);
        /* Nobody follows a link out of the store. */
        ck_assert_int_eq(symlink("/etc/passwd", path), 0);
        ck_assert_int_eq(try_open(key()), -GB_EINVALID);
        ck_assert_int_eq(unlink(path), 0);
    }
}
END_TEST

START_TEST(refuses_what_others_made)
{
    publish();
    ck_assert_int_eq(try_open(gb_bytes_str("format 1\nqemu 8\n")), -GB_EINVALID);
    ck_assert_ptr_nonnull(strstr(err.message, "something else"));
}
END_TEST

START_TEST(sees_holes_as_zeros)
{
    char sparse[65], full[65];
    char *path = xasprintf("%s/file", folder);
    int fd = open(path, O_RDWR | O_CREAT, 0600);

    ck_assert_int_eq(ftruncate(fd, RAM_BYTES), 0);
    ck_assert_int_eq(pwrite(fd, "x", 1, 99 * PAGE), 1);
    ck_assert_int_eq(gb_snapshot_digest(fd, sparse, &err), 0);
    ck_assert_int_eq(posix_fallocate(fd, 0, RAM_BYTES), 0);
    ck_assert_int_eq(gb_snapshot_digest(fd, full, &err), 0);
    ck_assert_str_eq(sparse, full);
    ck_assert_int_eq(pwrite(fd, "x", 1, 299 * PAGE), 1);
    ck_assert_int_eq(gb_snapshot_digest(fd, full, &err), 0);
    ck_assert_str_ne(sparse, full);
    close(fd);
    free(path);
}
END_TEST

START_TEST(refuses_to_begin_without_room)
{
    ck_assert_int_eq(gb_snapshot_begin(folder, name, UINT64_MAX, &err), -GB_EDISK);
    ck_assert_int_eq(rmdir(folder), 0);
    ck_assert_int_eq(mkdir(folder, 0700), 0);
}
END_TEST

static bool is_there(const char *of)
{
    _cleanup_(freep) char *path = xasprintf("%s/%s", folder, of);

    return access(path, F_OK) == 0;
}

START_TEST(evicts_by_age_and_size)
{
    static const char *const names[] = {"00000000000000000000000000000001",
                                        "00000000000000000000000000000002",
                                        "00000000000000000000000000000003"};
    struct gb_surplus_limits limits = {86400, UINT64_MAX};
    struct gb_buf text = {0};
    struct gb_snapshot_files files;
    uint64_t each = 0;

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        _cleanup_(freep) char *manifest = xasprintf("%s/%s/manifest", folder, names[i]);
        struct timespec used[2];

        make_files(names[i]);
        ck_assert_int_eq(gb_snapshot_publish(folder, names[i], key(), &files, &err), 0);
        each = files.disk_bytes;
        gb_snapshot_files_release(&files);
        clock_gettime(CLOCK_REALTIME, &used[1]);
        used[1].tv_sec -= i == 0 ? 2 * 86400 : 1000 - (time_t)i * 100;
        used[0] = used[1];
        ck_assert_int_eq(utimensat(AT_FDCWD, manifest, used, 0), 0);
    }
    make_files("00000000000000000000000000000009"); /* its builder died */
    gb_snapshot_evict(folder, &limits, &text);
    ck_assert(!is_there(names[0]) && is_there(names[1]) && is_there(names[2]));
    ck_assert(!is_there("new.00000000000000000000000000000009"));
    ck_assert_ptr_nonnull(strstr(gb_buf_str(&text), names[0]));
    /* The one that was used last stays; of 2 and 3 that is 2 when it is touched. */
    gb_snapshot_touch(folder, names[1]);
    limits.max_bytes = each + each / 2;
    gb_snapshot_evict(folder, &limits, &text);
    ck_assert(is_there(names[1]) && !is_there(names[2]));
    /* What somebody is at stays. */
    {
        _cleanup_(freep) char *path = gb_snapshot_lock_path(folder, names[1]);
        int fd = -1;

        ck_assert_int_eq(gb_snapshot_lock_try(path, &fd, &err), 0);
        limits.max_bytes = 0;
        gb_snapshot_evict(folder, &limits, &text);
        ck_assert(is_there(names[1]));
        close(fd);
        gb_snapshot_evict(folder, &limits, &text);
        ck_assert(!is_there(names[1]));
    }
    gb_buf_release(&text);
    gb_snapshot_evict("/nonexistent", &limits, &text);
}
END_TEST

/* ---- the lock ---- */

static int taken;

static void on_taken(void *arg, const struct gb_err *why)
{
    (void)arg;
    taken = why == NULL ? 1 : -(int)why->code;
}

static void wait_until_taken(uv_loop_t *uv)
{
    while (taken == 0)
        (void)uv_run(uv, UV_RUN_ONCE);
}

START_TEST(waits_for_a_lock)
{
    struct gb_snapshot_lock first = {0}, second = {0}, third = {0};
    char *path = xasprintf("%s/lock", folder);
    struct gb_loop *loop;
    uv_loop_t uv;

    (void)uv_loop_init(&uv);
    loop = gb_loop_new(&uv);
    gb_snapshot_lock_release(&first);
    ck_assert_int_eq(gb_snapshot_lock_take(&first, loop, path, 60000, on_taken, NULL, &err), 1);
    ck_assert_int_eq(gb_snapshot_lock_take(&second, loop, path, 60000, on_taken, NULL, &err), 0);
    ck_assert_int_eq(gb_snapshot_lock_take(&third, loop, path, 60000, on_taken, NULL, &err), 0);
    for (int i = 0; i < 3; i++)
        (void)uv_run(&uv, UV_RUN_NOWAIT);
    ck_assert_int_eq(taken, 0);
    gb_snapshot_lock_release(&third); /* has lost its patience */
    gb_snapshot_lock_release(&first);
    wait_until_taken(&uv);
    ck_assert_int_eq(taken, 1);
    /* Nobody waits for ever. */
    taken = 0;
    ck_assert_int_eq(gb_snapshot_lock_take(&third, loop, path, 1, on_taken, NULL, &err), 0);
    wait_until_taken(&uv);
    ck_assert_int_eq(taken, -GB_EBUSY);
    gb_snapshot_lock_release(&third);
    gb_snapshot_lock_release(&second);
    gb_snapshot_lock_release(&second);
    gb_loop_free(loop);
    (void)uv_run(&uv, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&uv), 0);
    free(path);
}
END_TEST

START_TEST(takes_over_from_the_dead)
{
    struct gb_snapshot_lock lock = {0};
    char *path = xasprintf("%s/lock", folder);
    struct gb_loop *loop;
    uv_loop_t uv;
    int ready[2];
    pid_t pid;
    char byte;

    ck_assert_int_eq(pipe(ready), 0);
    pid = fork();
    if (pid == 0) {
        int fd;

        if (gb_snapshot_lock_try(path, &fd, NULL) == 0 && write(ready[1], "", 1) == 1)
            pause();
        _exit(1);
    }
    ck_assert_int_eq(read(ready[0], &byte, 1), 1);
    (void)uv_loop_init(&uv);
    loop = gb_loop_new(&uv);
    taken = 0;
    ck_assert_int_eq(gb_snapshot_lock_take(&lock, loop, path, 60000, on_taken, NULL, &err), 0);
    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    wait_until_taken(&uv);
    ck_assert_int_eq(taken, 1);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
    /* A lock whose file was removed is none. */
    ck_assert_int_eq(unlink(path), 0);
    gb_snapshot_lock_release(&lock);
    ck_assert_int_eq(gb_snapshot_lock_take(&lock, loop, path, 60000, on_taken, NULL, &err), 1);
    gb_snapshot_lock_release(&lock);
    gb_loop_free(loop);
    (void)uv_run(&uv, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&uv), 0);
    close(ready[0]);
    close(ready[1]);
    free(path);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store");
    TCase *tests = tcase_create("store");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, finds_what_was_published);
    tcase_add_test(tests, refuses_what_is_damaged);
    tcase_add_test(tests, refuses_what_is_cut_or_missing);
    tcase_add_test(tests, refuses_what_others_made);
    tcase_add_test(tests, sees_holes_as_zeros);
    tcase_add_test(tests, refuses_to_begin_without_room);
    tcase_add_test(tests, evicts_by_age_and_size);
    tcase_add_test(tests, waits_for_a_lock);
    tcase_add_test(tests, takes_over_from_the_dead);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}

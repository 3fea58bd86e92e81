/* SPDX-License-Identifier: Apache-2.0 */
/* What a path stands for is written, and nothing takes its place. */
#include "kit/local.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "check_run.h"

static char folder[64];
static struct gb_err err;

static const char *in_folder(const char *name)
{
    static char paths[4][128];
    static size_t next;
    char *path = paths[next++ % ARRAY_SIZE(paths)];

    (void)snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    return path;
}

static void setup(void)
{
    (void)snprintf(folder, sizeof(folder), "/tmp/glassbell-local-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    (void)umask(022);
}

static void teardown(void)
{
    char command[128];

    (void)snprintf(command, sizeof(command), "rm -rf %s", folder);
    ck_assert_int_eq(system(command), 0); /* allowed: a folder of the test's */
}

static void make(const char *name, const char *content, mode_t mode)
{
    int fd = open(in_folder(name), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, content, strlen(content)), (ssize_t)strlen(content));
    ck_assert_int_eq(fchmod(fd, mode), 0);
    ck_assert_int_eq(close(fd), 0);
}

static void check_content(const char *path, const char *want)
{
    struct gb_buf content = {0};

    ck_assert_int_eq(gb_fd_read_file(path, 1 << 20, &content, &err), 0);
    ck_assert_str_eq(gb_buf_str(&content), want);
    gb_buf_release(&content);
}

/* Entries of the folder: nothing of ours is left beside what was asked for. */
static int entries(void)
{
    DIR *dir = opendir(folder);
    int count = 0;

    ck_assert_ptr_nonnull(dir);
    while (readdir(dir) != NULL)
        count++;
    (void)closedir(dir);
    return count - 2;
}

static int write_out(const char *path, const char *content)
{
    struct local *local;
    size_t half = strlen(content) / 2;
    int r;

    err = (struct gb_err){0};
    local = local_open(path, &err);
    if (local == NULL)
        return -1;
    r = local_write(local, 0, (struct gb_bytes){(const uint8_t *)content, half}, &err);
    if (r == 0)
        r = local_write(local, half, gb_bytes_str(content + half), &err);
    if (r == 0)
        return local_finish(local, &err);
    local_cancel(local);
    return r;
}

static struct stat status_of(const char *path)
{
    struct stat status;

    ck_assert_int_eq(lstat(path, &status), 0);
    return status;
}

/* ---- files ---- */

START_TEST(a_new_file)
{
    struct local *local = local_open(in_folder("new"), &err);

    ck_assert_ptr_nonnull(local);
    ck_assert(!local_in_order(local));
    ck_assert_int_eq(local_write(local, 3, gb_bytes_str("def"), &err), 0);
    ck_assert_int_eq(entries(), 0); /* it appears when it is whole */
    ck_assert_int_eq(local_write(local, 0, gb_bytes_str("abc"), &err), 0);
    ck_assert_int_eq(local_finish(local, &err), 0);
    check_content(in_folder("new"), "abcdef");
    ck_assert_uint_eq(status_of(in_folder("new")).st_mode & 07777, 0644);
    local = local_open(in_folder("never"), &err);
    ck_assert_int_eq(local_write(local, 0, gb_bytes_str("abc"), &err), 0);
    local_cancel(local);
    ck_assert_int_eq(entries(), 1);
}
END_TEST

START_TEST(a_file_that_is_there)
{
    struct stat before;

    make("old", "before, and longer", 0640);
    before = status_of(in_folder("old"));
    ck_assert_int_eq(write_out(in_folder("old"), "after"), 0);
    check_content(in_folder("old"), "after");
    ck_assert_uint_eq(status_of(in_folder("old")).st_mode, before.st_mode);
    ck_assert_uint_eq(status_of(in_folder("old")).st_uid, before.st_uid);
    ck_assert_int_eq(entries(), 1);
}
END_TEST

START_TEST(links)
{
    make("file", "before", 0600);
    ck_assert_int_eq(symlink("file", in_folder("link")), 0);
    ck_assert_int_eq(symlink(in_folder("link"), in_folder("chain")), 0);
    ck_assert_int_eq(mkdir(in_folder("sub"), 0755), 0);
    ck_assert_int_eq(symlink("../file", in_folder("sub/up")), 0);
    ck_assert_int_eq(symlink("sub/made", in_folder("dangling")), 0);
    ck_assert_int_eq(symlink("loop", in_folder("loop")), 0);
    ck_assert_int_eq(symlink("none/at/all", in_folder("nowhere")), 0);
    static const char *const names[] = {"link", "chain", "sub/up"};

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        ck_assert_int_eq(write_out(in_folder(names[i]), names[i]), 0);
        check_content(in_folder("file"), names[i]);
        ck_assert(S_ISLNK(status_of(in_folder(names[i])).st_mode));
        ck_assert_uint_eq(status_of(in_folder("file")).st_mode & 07777, 0600);
    }
    ck_assert_int_eq(write_out(in_folder("dangling"), "new"), 0);
    check_content(in_folder("sub/made"), "new");
    ck_assert(S_ISLNK(status_of(in_folder("dangling")).st_mode));
    ck_assert_int_lt(write_out(in_folder("loop"), "x"), 0);
    ck_assert_int_eq(err.sys_errno, ELOOP);
    ck_assert_int_lt(write_out(in_folder("nowhere"), "x"), 0);
    ck_assert_int_eq(err.sys_errno, ENOENT);
    ck_assert_int_eq(entries(), 7);
}
END_TEST

/* All its names show what was written. */
START_TEST(a_file_with_two_names)
{
    make("one", "before, and longer than after", 0644);
    ck_assert_int_eq(link(in_folder("one"), in_folder("two")), 0);
    ck_assert_int_eq(write_out(in_folder("one"), "after"), 0);
    check_content(in_folder("two"), "after");
    ck_assert_int_eq(write_out(in_folder("two"), "and now longer again"), 0);
    check_content(in_folder("one"), "and now longer again");
    ck_assert_int_eq(entries(), 2);
}
END_TEST

START_TEST(what_cannot_be_written)
{
    ck_assert_int_eq(mkdir(in_folder("folder"), 0755), 0);
    ck_assert_int_lt(write_out(in_folder("folder"), "x"), 0);
    ck_assert_ptr_nonnull(strstr(err.message, "is a folder"));
    ck_assert_int_lt(write_out(in_folder("no/such"), "x"), 0);
    ck_assert_int_lt(write_out("", "x"), 0);
    ck_assert_int_lt(write_out("/proc/self/fd/999", "x"), 0);
    ck_assert_int_eq(err.sys_errno, EBADF);
    ck_assert_int_eq(entries(), 1);
}
END_TEST

/* ---- a full disk ---- */

static void own_mounts(void)
{
    char map[64];
    uid_t uid = geteuid();
    int fd;

    ck_assert_int_eq(unshare(uid == 0 ? CLONE_NEWNS : CLONE_NEWNS | CLONE_NEWUSER), 0);
    if (uid != 0) {
        (void)snprintf(map, sizeof(map), "0 %u 1", (unsigned)uid);
        fd = open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);
        ck_assert_int_eq(write(fd, map, strlen(map)), (ssize_t)strlen(map));
        ck_assert_int_eq(close(fd), 0);
    }
    ck_assert_int_eq(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
}

/* The old content stays, and nothing new is there: for files that are exchanged, for those that are
 * written into, and for new ones. */
START_TEST(a_full_disk)
{
    _cleanup_(freep) char *much = xmalloc((3 << 20) + 1);

    memset(much, 'm', 3 << 20);
    much[3 << 20] = '\0';
    own_mounts();
    ck_assert_int_eq(mount("tmpfs", folder, "tmpfs", 0, "size=2m"), 0);
    make("old", "before", 0644);
    make("one", "before", 0644);
    ck_assert_int_eq(link(in_folder("one"), in_folder("two")), 0);
    static const char *const names[] = {"old", "one", "new"};

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        ck_assert_int_lt(write_out(in_folder(names[i]), much), 0);
        ck_assert_int_eq(err.sys_errno, ENOSPC);
        ck_assert_int_eq(err.code, GB_EDISK);
    }
    check_content(in_folder("old"), "before");
    check_content(in_folder("two"), "before");
    ck_assert_int_eq(entries(), 3);
    ck_assert_int_eq(write_out(in_folder("new"), "now it fits"), 0); /* nothing was kept back */
    ck_assert_int_eq(umount2(folder, MNT_DETACH), 0);
}
END_TEST

/* A file that another one is mounted over, as containers do, and a folder that takes no new names.
 */
START_TEST(files_that_cannot_be_exchanged)
{
    own_mounts();
    make("target", "target", 0644);
    make("source", "before", 0644);
    ck_assert_int_eq(mount(in_folder("source"), in_folder("target"), NULL, MS_BIND, NULL), 0);
    ck_assert_int_eq(write_out(in_folder("target"), "through the mount"), 0);
    check_content(in_folder("source"), "through the mount");
    ck_assert_int_eq(entries(), 2);
    ck_assert_int_eq(umount2(in_folder("target"), MNT_DETACH), 0);
    check_content(in_folder("target"), "target");

    ck_assert_int_eq(mkdir(in_folder("closed"), 0755), 0);
    ck_assert_int_eq(mount(in_folder("closed"), in_folder("closed"), NULL, MS_BIND, NULL), 0);
    make("closed/file", "", 0644);
    ck_assert_int_eq(mount(in_folder("source"), in_folder("closed/file"), NULL, MS_BIND, NULL), 0);
    ck_assert_int_eq(mount(NULL, in_folder("closed"), NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL),
                     0);
    ck_assert_int_eq(write_out(in_folder("closed/file"), "into it"), 0);
    check_content(in_folder("source"), "into it");
    ck_assert_int_lt(write_out(in_folder("closed/new"), "x"), 0);
    ck_assert_int_eq(err.sys_errno, EROFS);
    ck_assert_int_eq(umount2(in_folder("closed/file"), MNT_DETACH), 0);
    ck_assert_int_eq(umount2(in_folder("closed"), MNT_DETACH), 0);
}
END_TEST

/* ---- devices and the like ---- */

START_TEST(devices)
{
    struct stat before = status_of("/dev/null");
    struct local *local = local_open("/dev/null", &err);

    ck_assert(local_in_order(local));
    ck_assert(!local_is_terminal(local));
    ck_assert_int_eq(local_write(local, 0, gb_bytes_str("abc"), &err), 0);
    ck_assert_int_lt(local_write(local, 9, gb_bytes_str("abc"), &err), 0); /* not in order */
    local_cancel(local);
    ck_assert_int_eq(write_out("/dev/null", "gone"), 0);
    ck_assert_int_lt(write_out("/dev/full", "full"), 0);
    ck_assert_int_eq(err.sys_errno, ENOSPC);
    ck_assert_uint_eq(status_of("/dev/null").st_ino, before.st_ino);
    ck_assert(S_ISCHR(status_of("/dev/null").st_mode) && S_ISCHR(status_of("/dev/full").st_mode));
    ck_assert_int_eq(symlink("/dev/null", in_folder("link")), 0);
    ck_assert_int_eq(write_out(in_folder("link"), "gone"), 0);
    ck_assert(S_ISLNK(status_of(in_folder("link")).st_mode));
    ck_assert(local_is_stream("/dev/null") && local_is_stream(in_folder("link")));
    ck_assert(!local_is_stream(folder) && !local_is_stream(in_folder("none")));
}
END_TEST

static char received[64];

static void *read_fifo(void *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    ck_assert_int_gt(gb_fd_read_full(fd, received, sizeof(received) - 1), 0);
    (void)close(fd);
    return NULL;
}

START_TEST(a_fifo)
{
    _cleanup_(freep) char *path = xstrdup(in_folder("fifo"));
    pthread_t reader;

    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ck_assert_int_eq(pthread_create(&reader, NULL, read_fifo, path), 0);
    ck_assert_int_eq(write_out(path, "through it"), 0);
    ck_assert_int_eq(pthread_join(reader, NULL), 0);
    ck_assert_str_eq(received, "through it");
    ck_assert(S_ISFIFO(status_of(path).st_mode));
    ck_assert_int_eq(entries(), 1);
}
END_TEST

START_TEST(a_socket)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), peer;

    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%.100s", in_folder("socket"));
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    ck_assert_int_lt(write_out(in_folder("socket"), "x"), 0);
    ck_assert_int_eq(err.sys_errno, ECONNREFUSED);
    ck_assert_int_eq(listen(fd, 1), 0);
    ck_assert_int_eq(write_out(in_folder("socket"), "to it"), 0);
    peer = accept(fd, NULL, NULL);
    ck_assert_int_eq(gb_fd_read_full(peer, received, sizeof(received)), 5);
    ck_assert_mem_eq(received, "to it", 5);
    (void)close(peer);
    (void)close(fd);
    ck_assert(S_ISSOCK(status_of(in_folder("socket")).st_mode));
}
END_TEST

/* Standard output under its names: a pipe, and a file at its place in it. */
START_TEST(our_own_descriptors)
{
    static const char *const names[] = {"/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"};
    int kept = dup(1), pipes[2], fd;

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        ck_assert_int_eq(pipe(pipes), 0);
        ck_assert_int_eq(dup2(pipes[1], 1), 1);
        ck_assert_int_eq(close(pipes[1]), 0);
        ck_assert_int_eq(write_out(names[i], names[i]), 0);
        ck_assert_int_eq(dup2(kept, 1), 1);
        memset(received, 0, sizeof(received));
        ck_assert_int_gt(gb_fd_read_full(pipes[0], received, sizeof(received)), 0);
        ck_assert_str_eq(received, names[i]);
        ck_assert_int_eq(close(pipes[0]), 0);
    }
    make("out", "before;", 0644);
    fd = open(in_folder("out"), O_WRONLY | O_APPEND | O_CLOEXEC);
    ck_assert_int_eq(dup2(fd, 1), 1);
    ck_assert_int_eq(write_out("/dev/stdout", "one;"), 0);
    ck_assert_int_eq(symlink("/dev/stdout", in_folder("link")), 0);
    ck_assert_int_eq(write_out(in_folder("link"), "two;"), 0);
    ck_assert_int_eq(dup2(kept, 1), 1);
    ck_assert_int_eq(write(fd, "after", 5), 5);
    ck_assert_int_eq(close(fd), 0);
    check_content(in_folder("out"), "before;one;two;after");
    ck_assert_int_eq(close(kept), 0);
}
END_TEST

START_TEST(reading)
{
    char text[16] = "";
    int fd;

    make("file", "content", 0644);
    ck_assert_int_eq(symlink("file", in_folder("link")), 0);
    fd = local_open_input(in_folder("link"), &err);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(gb_fd_read_full(fd, text, sizeof(text)), 7);
    ck_assert_int_eq(close(fd), 0);
    ck_assert_int_lt(local_open_input(in_folder("none"), &err), 0);
    ck_assert_ptr_nonnull(strstr(err.message, "cannot read"));
    ck_assert_int_lt(local_open_input("/dev/fd/999", &err), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("local");
    TCase *tests = tcase_create("local");

    (void)signal(SIGPIPE, SIG_IGN); /* allowed: its one use that is the same everywhere */
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, a_new_file);
    tcase_add_test(tests, a_file_that_is_there);
    tcase_add_test(tests, links);
    tcase_add_test(tests, a_file_with_two_names);
    tcase_add_test(tests, what_cannot_be_written);
    tcase_add_test(tests, a_full_disk);
    tcase_add_test(tests, files_that_cannot_be_exchanged);
    tcase_add_test(tests, devices);
    tcase_add_test(tests, a_fifo);
    tcase_add_test(tests, a_socket);
    tcase_add_test(tests, our_own_descriptors);
    tcase_add_test(tests, reading);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}

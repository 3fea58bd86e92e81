/* SPDX-License-Identifier: Apache-2.0 */
/* Journals that cannot be written: a full disk, quotas, errors of the disk, folders that are
 * read-only or not there. What was recorded stays, what is not recorded is told, and recording goes
 * on by itself. The disk is a small tmpfs in mounts of the test's own. */
#include "journal/testing.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static char disk[48];
static unsigned errors_said, warnings_said;

static void on_said(void *arg, enum gb_log_level level, const char *message)
{
    (void)arg;
    (void)message;
    errors_said += level == GB_LOG_ERROR;
    warnings_said += level == GB_LOG_WARNING;
}

static void write_text(const char *file, const char *text)
{
    int fd = open(file, O_WRONLY | O_CLOEXEC);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    ck_assert_int_eq(close(fd), 0);
}

/* Mounts of our own; who is not root becomes it in a namespace. */
static void own_mounts(void)
{
    char map[64];
    uid_t uid = geteuid();
    gid_t gid = getegid();

    ck_assert_int_eq(unshare(uid == 0 ? CLONE_NEWNS : CLONE_NEWNS | CLONE_NEWUSER), 0);
    if (uid != 0) {
        write_text("/proc/self/setgroups", "deny");
        (void)snprintf(map, sizeof(map), "0 %u 1", (unsigned)uid);
        write_text("/proc/self/uid_map", map);
        (void)snprintf(map, sizeof(map), "0 %u 1", (unsigned)gid);
        write_text("/proc/self/gid_map", map);
    }
    ck_assert_int_eq(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
}

static void setup_disk(void)
{
    own_mounts();
    (void)snprintf(disk, sizeof(disk), "/tmp/glassbell-disk-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(disk));
    ck_assert_int_eq(mount("tmpfs", disk, "tmpfs", 0, "size=24m"), 0);
    (void)snprintf(folder, sizeof(folder), "%s/journal", disk);
    errors_said = warnings_said = 0;
    gb_log_tap(on_said, NULL);
    config = (struct gb_journal_config){
        .folder = folder, .size = 16 << 20, .interval_ms = 10, .sync = GB_JOURNAL_SYNC_INTERVAL};
}

static void teardown_disk(void)
{
    gb_log_tap(NULL, NULL);
    ck_assert_int_eq(umount2(disk, MNT_DETACH), 0);
    (void)rmdir(disk);
}

/* ---- another program on the same disk ---- */

static int hog_fd = -1;

/* Takes every block that is free. */
static void hog(void)
{
    static const char zeros[4096];
    char name[128];

    if (hog_fd < 0) {
        (void)snprintf(name, sizeof(name), "%s/hog", disk);
        hog_fd = open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        ck_assert_int_ge(hog_fd, 0);
    }
    while (write(hog_fd, zeros, sizeof(zeros)) == sizeof(zeros))
        ;
}

static void end_hog(void)
{
    ck_assert_int_eq(ftruncate(hog_fd, 0), 0);
    hog_fd = gb_close(hog_fd);
}

/* ---- cells ---- */

/* True when it was recorded. */
static bool try_cell(const char *id, uint32_t number, struct gb_bytes out)
{
    struct gb_cell_info cell = make_cell(id, number, "code");
    struct gb_journal_ticket ticket = {.done = on_recorded};
    int r;

    gb_journal_start(journal, &cell);
    cell.out = out;
    cell.exit_code = 0;
    told = false;
    r = gb_journal_cell(journal, &cell, &ticket);
    while (r == 0 && !told)
        (void)uv_run(&uv, UV_RUN_ONCE);
    return r == 1 || (r == 0 && told_recorded);
}

static void make_sessions(int count, uint32_t cells)
{
    static uint8_t block[30000];

    for (int i = 0; i < count; i++) {
        char id[24];

        (void)snprintf(id, sizeof(id), "s-%d", i);
        begin(id, "k");
        for (uint32_t j = 1; j <= cells; j++)
            run_cell(id, j, "code", (struct gb_bytes){block, 20000 + j});
        end(id);
    }
}

static void check_sessions(int count, uint32_t cells)
{
    for (int i = 0; i < count; i++) {
        struct seen seen;
        char id[24];

        (void)snprintf(id, sizeof(id), "s-%d", i);
        ck_assert_ptr_nonnull(find(id));
        ck_assert_int_eq(find(id)->state, GB_RECORD_CLOSED);
        seen = look(id, 0, 60);
        ck_assert_uint_eq(seen.count, cells);
        for (uint32_t j = 0; j < cells; j++) {
            ck_assert_str_eq(seen.code[j], "code");
            ck_assert_uint_eq(seen.out_size[j], 20001 + j);
            ck_assert_uint_eq(seen.flags[j] & (GB_CELL_CODE_LOST | GB_CELL_RESULT_LOST), 0);
        }
    }
}

/* What was not recorded is not there, or said to be lost; and none of it is thought to be running.
 */
static void check_unrecorded(const char *id, uint32_t first, uint32_t last)
{
    struct seen seen = look(id, first - 1, last - first + 1);

    for (uint32_t i = 0; i < seen.count; i++)
        if (seen.numbers[i] <= last) {
            ck_assert_uint_ne(seen.flags[i] & GB_CELL_RESULT_LOST, 0);
            ck_assert_str_eq(seen.state[i], "done");
        }
}

/* ---- a full disk ---- */

/* Small cells, which the loop writes, large ones, which the thread does, and some of both. */
START_TEST(a_full_disk)
{
    static uint8_t block[200000];
    const size_t size = _i == 0 ? 40000 : _i == 1 ? 150000 : 60000;
    struct gb_journal_figures figures;

    open_journal();
    make_sessions(12, 30);
    begin("s-now", "now");
    run_cell("s-now", 1, "first", gb_bytes_str("1"));
    errors_said = warnings_said = 0;
    for (uint32_t i = 2; i <= 41; i++) {
        hog();
        ck_assert_msg(!try_cell("s-now", i, (struct gb_bytes){block, size + (i % 2) * size / 4}),
                      "%u", i);
    }
    check_sessions(12, 30);
    check_unrecorded("s-now", 2, 41);
    ck_assert_uint_eq(errors_said, 1);
    figures = gb_journal_figures(journal);
    ck_assert_uint_ge(figures.failures, 40);
    ck_assert_int_eq(figures.sys_errno, ENOSPC);
    end_hog();
    ck_assert(try_cell("s-now", 42, (struct gb_bytes){block, 5}));
    ck_assert(try_cell("s-now", 43, (struct gb_bytes){block, size * 5 / 4}));
    ck_assert_int_eq(gb_journal_figures(journal).sys_errno, 0);
    ck_assert_uint_eq(errors_said, 1);
    ck_assert_uint_eq(warnings_said, 1);
    reopen();
    check_sessions(12, 30);
    check_unrecorded("s-now", 2, 41);
    ck_assert_uint_eq(look("s-now", 41, 10).count, 2);
    ck_assert_uint_eq(look("s-now", 41, 10).out_size[0], 5);
    ck_assert_uint_eq(look("s-now", 42, 10).out_size[0], size * 5 / 4);
    ck_assert_str_eq(look("s-now", 0, 1).code[0], "first");
    close_journal();
}
END_TEST

/* The server is killed while the disk is full, and comes again while it is. */
START_TEST(a_restart_on_a_full_disk)
{
    static uint8_t block[40000];

    open_journal();
    make_sessions(5, 10);
    begin("s-now", "now");
    run_cell("s-now", 1, "first", gb_bytes_str("1"));
    hog();
    for (uint32_t i = 2; i <= 5; i++)
        ck_assert(!try_cell("s-now", i, (struct gb_bytes){block, sizeof(block)}));
    for (int again = 0; again < 3; again++) {
        reopen();
        hog();
        check_sessions(5, 10);
        ck_assert_str_eq(find("s-now")->reason, "lost");
        ck_assert(!try_cell("s-later", 1, (struct gb_bytes){block, sizeof(block)}));
    }
    end_hog();
    begin("s-later", "later");
    ck_assert(try_cell("s-later", 2, (struct gb_bytes){block, sizeof(block)}));
    reopen();
    check_sessions(5, 10);
    ck_assert_str_eq(find("s-now")->reason, "lost");
    ck_assert_uint_eq(look("s-later", 1, 10).count, 1);
    close_journal();
}
END_TEST

/* Sessions that begin and end meanwhile are known afterwards. */
START_TEST(sessions_of_an_outage)
{
    char id[24];

    open_journal();
    begin("s-before", "before");
    hog();
    for (int i = 0; i < 50; i++) { /* the last block takes some of them */
        (void)snprintf(id, sizeof(id), "s-%d", i);
        begin(id, "k");
        end(id);
    }
    end("s-before");
    begin("s-open", "open");
    ck_assert_int_ne(gb_journal_figures(journal).sys_errno, 0);
    end_hog();
    run_cell("s-open", 1, "code", gb_bytes_str("out"));
    ck_assert_int_eq(gb_journal_figures(journal).sys_errno, 0);
    reopen();
    for (int i = 0; i < 50; i++) {
        (void)snprintf(id, sizeof(id), "s-%d", i);
        ck_assert_ptr_nonnull(find(id));
        ck_assert_int_eq(find(id)->state, GB_RECORD_CLOSED);
    }
    ck_assert_int_eq(find("s-before")->state, GB_RECORD_CLOSED);
    ck_assert_str_eq(find("s-open")->key, "open");
    ck_assert_str_eq(find("s-open")->reason, "lost");
    close_journal();
}
END_TEST

/* The limit on the size holds before, during and after an outage. */
START_TEST(rotation_around_an_outage)
{
    static uint8_t block[100000];

    open_journal();
    begin("s-1", "k");
    for (uint32_t i = 1; i <= 300; i++) {
        bool full = i > 200 && i <= 210;

        if (full)
            hog();
        ck_assert(try_cell("s-1", i, (struct gb_bytes){block, sizeof(block)}) != full);
        if (i == 210)
            end_hog();
        ck_assert_uint_le(gb_journal_figures(journal).bytes, config.size);
        if (i > 200)
            ck_assert_uint_ge(gb_journal_figures(journal).bytes, config.size - (2 << 20));
    }
    ck_assert_uint_eq(look("s-1", 240, 60).count, 60);
    close_journal();
}
END_TEST

/* ---- errors ---- */

/* From here on pwrite() of at least @size bytes, or fdatasync() when that is 0, fails so. */
static void fail_writes(uint32_t size, int sys_errno)
{
    const uint32_t fail = SECCOMP_RET_ERRNO | (uint32_t)sys_errno;
    const struct sock_filter writes[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pwrite64, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, size, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, fail),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_filter syncs[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fdatasync, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, fail),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {
        (unsigned short)(size > 0 ? ARRAY_SIZE(writes) : ARRAY_SIZE(syncs)),
        (struct sock_filter *)(uintptr_t)(size > 0 ? writes : syncs)};

    ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    ck_assert_int_eq(
        syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program), 0);
}

static const int errnos[] = {EDQUOT, EIO, EROFS, ENOSPC, EFBIG};

/* As with the full disk, for each error; cells that fail are large, others are small. */
START_TEST(writes_that_fail)
{
    static uint8_t block[100000];
    const size_t sizes[] = {5000, 100000}; /* by the loop, by the thread */

    open_journal();
    make_sessions(3, 5);
    begin("s-now", "now");
    fail_writes(4000, errnos[_i]);
    errors_said = 0;
    for (uint32_t i = 1; i <= 10; i++) {
        ck_assert(try_cell("s-now", 2 * i, gb_bytes_str("small")));
        ck_assert(!try_cell("s-now", 2 * i + 1, (struct gb_bytes){block, sizes[i % 2]}));
        ck_assert_int_eq(gb_journal_figures(journal).sys_errno, errnos[_i]);
    }
    ck_assert_uint_eq(errors_said, 1);
    ck_assert_uint_ge(gb_journal_figures(journal).failures, 10);
    for (int again = 0; again < 2; again++) {
        struct seen seen = look("s-now", 0, 60);

        check_sessions(3, 5);
        for (uint32_t i = 0; i < seen.count; i++)
            if (seen.numbers[i] % 2 == 0) {
                ck_assert_uint_eq(seen.out_size[i], 5);
                ck_assert_uint_eq(seen.flags[i] & GB_CELL_RESULT_LOST, 0);
            } else {
                ck_assert_uint_ne(seen.flags[i] & GB_CELL_RESULT_LOST, 0);
            }
        ck_assert_uint_ge(seen.count, 10);
        end("s-now");
        reopen();
    }
    close_journal();
}
END_TEST

/* Where each cell is to be safe from a power cut, one that could not be made so is not recorded. */
START_TEST(syncs_that_fail)
{
    config.sync = _i == 0 ? GB_JOURNAL_SYNC_CELL : GB_JOURNAL_SYNC_INTERVAL;
    open_journal();
    make_sessions(2, 3);
    fail_writes(0, EIO);
    begin("s-now", "now");
    if (_i == 0) {
        for (uint32_t i = 1; i <= 5; i++)
            ck_assert(!try_cell("s-now", i, gb_bytes_str("out")));
        check_unrecorded("s-now", 1, 5);
    } else {
        ck_assert(try_cell("s-now", 1, gb_bytes_str("out")));
        while (gb_journal_figures(journal).failures == 0)
            (void)uv_run(&uv, UV_RUN_ONCE);
    }
    ck_assert_int_eq(gb_journal_figures(journal).sys_errno, EIO);
    ck_assert_uint_eq(errors_said, 1);
    check_sessions(2, 3);
    close_journal();
}
END_TEST

/* ---- folders ---- */

static void remount(bool read_only)
{
    ck_assert_int_eq(mount("tmpfs", disk, NULL, MS_REMOUNT | (read_only ? MS_RDONLY : 0u), NULL),
                     0);
}

/* What is there can be read, nothing is recorded, and when it can be again, it is. */
START_TEST(a_read_only_disk)
{
    open_journal();
    make_sessions(2, 4);
    begin("s-lost", "k");
    close_journal();
    remount(true);
    errors_said = 0;
    open_journal();
    check_sessions(2, 4);
    ck_assert_int_eq(find("s-lost")->state, GB_RECORD_LOST);
    ck_assert(!try_cell("s-now", 1, gb_bytes_str("out")));
    ck_assert_int_eq(gb_journal_figures(journal).sys_errno, EROFS);
    ck_assert_uint_eq(errors_said, 1);
    remount(false);
    begin("s-now", "now");
    ck_assert(try_cell("s-now", 2, gb_bytes_str("out")));
    ck_assert_int_eq(gb_journal_figures(journal).sys_errno, 0);
    reopen();
    check_sessions(2, 4);
    ck_assert_int_eq(find("s-lost")->state, GB_RECORD_LOST);
    ck_assert_uint_eq(look("s-now", 1, 10).count, 1);
    close_journal();
}
END_TEST

/* The folder is not there and cannot be made: the disk is read-only, a file stands in its way, or a
 * link leads nowhere. */
START_TEST(no_folder)
{
    char block[128], name[128];

    (void)snprintf(block, sizeof(block), "%s/state", disk);
    (void)snprintf(name, sizeof(name), "%s/state/journal", disk);
    config.folder = name;
    if (_i == 0)
        remount(true);
    else if (_i == 1)
        ck_assert_int_eq(close(open(block, O_CREAT | O_WRONLY | O_CLOEXEC, 0600)), 0);
    else
        ck_assert_int_eq(symlink("/nowhere/at/all", block), 0);
    open_journal();
    begin("s-1", "k");
    for (uint32_t i = 1; i <= 3; i++)
        ck_assert(!try_cell("s-1", i, gb_bytes_str("out")));
    ck_assert_uint_eq(errors_said, 1);
    ck_assert_int_ne(gb_journal_figures(journal).sys_errno, 0);
    if (_i == 0)
        remount(false);
    else
        ck_assert_int_eq(unlink(block), 0);
    ck_assert(try_cell("s-1", 4, gb_bytes_str("out")));
    ck_assert_int_eq(gb_journal_figures(journal).sys_errno, 0);
    reopen();
    ck_assert_str_eq(find("s-1")->key, "k");
    ck_assert_uint_eq(look("s-1", 3, 10).count, 1);
    close_journal();
}
END_TEST

/* Whatever is left, a journal is opened or an error is told. */
START_TEST(no_descriptors)
{
    unsigned refused = 0, opened = 0;
    int next;

    ck_assert_int_eq(uv_loop_init(&uv), 0);
    loop = gb_loop_new(&uv);
    next = dup(STDERR_FILENO);
    ck_assert_int_ge(next, 0);
    ck_assert_int_eq(close(next), 0);
    for (rlim_t most = (rlim_t)next + 1; opened == 0; most++) {
        struct gb_journal *other;
        struct rlimit before, limit;
        char other_folder[128];

        (void)snprintf(other_folder, sizeof(other_folder), "%s/other%u", disk, refused);
        config.folder = other_folder;
        ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
        limit = (struct rlimit){most, before.rlim_max};
        ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
        err = (struct gb_err){0};
        if (gb_journal_open(loop, &config, &other, &err) == 0) {
            gb_journal_close(other);
            opened++;
        } else {
            ck_assert_int_eq(err.code, GB_ECAPACITY);
            refused++;
        }
        ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    }
    ck_assert_uint_gt(refused, 0);
    gb_loop_free(loop);
    (void)uv_run(&uv, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&uv), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("outage");
    TCase *cases = tcase_create("outage");

    gb_log_open(-1, GB_LOG_ERROR);
    tcase_add_checked_fixture(cases, setup_disk, teardown_disk);
    tcase_set_timeout(cases, 120);
    tcase_add_loop_test(cases, a_full_disk, 0, 3);
    tcase_add_test(cases, a_restart_on_a_full_disk);
    tcase_add_test(cases, sessions_of_an_outage);
    tcase_add_test(cases, rotation_around_an_outage);
    tcase_add_loop_test(cases, writes_that_fail, 0, ARRAY_SIZE(errnos));
    tcase_add_loop_test(cases, syncs_that_fail, 0, 2);
    tcase_add_test(cases, a_read_only_disk);
    tcase_add_loop_test(cases, no_folder, 0, 3);
    tcase_add_test(cases, no_descriptors);
    suite_add_tcase(suite, cases);
    return check_run(suite);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The life of real VMs. */
#include "vm/testing.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

static bool process_exists(pid_t pid)
{
    return kill(pid, 0) == 0 || errno != ESRCH;
}

static pid_t parent_of(pid_t pid)
{
    char *path = xasprintf("/proc/%d/status", pid);
    struct gb_buf text = {0};
    const char *line;
    pid_t parent = 0;

    ck_assert_int_eq(gb_fd_read_file(path, 16384, &text, NULL), 0);
    line = strstr(gb_buf_str(&text), "\nPPid:");
    ck_assert_ptr_nonnull(line);
    ck_assert_int_eq(sscanf(line, "\nPPid: %d", &parent), 1);
    gb_buf_release(&text);
    free(path);
    return parent;
}

START_TEST(boots_and_answers)
{
    struct gb_vm_sample sample;
    struct guest guest;
    pid_t pid;

    boot(&guest);
    pid = gb_vm_pid(guest.vm);
    ck_assert_int_gt(pid, 0);
    ck_assert_uint_gt(gb_vm_hello_ns(guest.vm), gb_vm_started_ns(guest.vm));
    ping(&guest, 7);
    ping(&guest, 8);
    ck_assert_int_eq(gb_vm_sample(guest.vm, &sample, NULL), 0);
    ck_assert_uint_gt(sample.pss_bytes, 20u << 20);
    ck_assert_uint_gt(sample.cpu_ns, 0);
    end(&guest);
    ck_assert_str_eq(guest.why.message, "killed by Glassbell");
    ck_assert_int_eq(guest.why.code, GB_ECLOSED);
    ck_assert(!process_exists(pid));
}
END_TEST

START_TEST(tells_how_it_died)
{
    struct guest guest;

    boot(&guest);
    kill(gb_vm_pid(guest.vm), SIGKILL);
    finish(&guest);
    ck_assert_int_eq(guest.why.code, GB_ECLOSED);
    ck_assert_ptr_nonnull(strstr(guest.why.message, "signal 9"));

    boot(&guest);
    send_empty(&guest, GB_GUEST_SHUTDOWN, 1);
    finish(&guest);
    ck_assert_ptr_nonnull(strstr(guest.why.message, "switched itself off"));
}
END_TEST

START_TEST(launcher_death_is_qemus_death)
{
    struct guest guest;
    pid_t qemu, launcher;

    boot(&guest);
    qemu = gb_vm_pid(guest.vm);
    launcher = parent_of(qemu);
    ck_assert_int_ne(launcher, getpid());
    kill(launcher, SIGKILL);
    finish(&guest);
    /* Init may not have reaped it yet; then it is a zombie, which nothing runs in. */
    if (process_exists(qemu)) {
        char *path = xasprintf("/proc/%d/stat", qemu);
        struct gb_buf text = {0};

        if (gb_fd_read_file(path, 4096, &text, NULL) == 0)
            ck_assert_ptr_nonnull(strstr(gb_buf_str(&text), ") Z "));
        gb_buf_release(&text);
        free(path);
    }
}
END_TEST

START_TEST(server_death_leaves_nothing)
{
    struct pollfd gone = {.events = POLLIN};
    int pipes[2], status;
    pid_t server, qemu = 0, launcher;

    ck_assert_int_eq(pipe(pipes), 0);
    server = fork();
    if (server == 0) {
        struct gb_vm_config config;
        struct guest guest;

        uv_loop_fork(&uv);
        config = default_config();
        start(&guest, &config);
        for (;;) {
            pid_t pid = gb_vm_pid(guest.vm);

            if (pid != 0 && guest.running == 0) {
                guest.running = 1;
                if (write(pipes[1], &pid, sizeof(pid)) != sizeof(pid))
                    _exit(1);
            }
            uv_run(&uv, UV_RUN_ONCE);
        }
    }
    ck_assert_int_eq(read(pipes[0], &qemu, sizeof(qemu)), sizeof(qemu));
    gone.fd = pidfd_open(qemu, 0);
    ck_assert_int_ge(gone.fd, 0);
    launcher = parent_of(qemu);
    kill(server, SIGKILL);
    ck_assert_int_eq(waitpid(server, &status, 0), server);
    ck_assert_int_eq(poll(&gone, 1, 5000), 1);
    close(gone.fd);
    gone.fd = pidfd_open(launcher, 0);
    if (gone.fd >= 0) {
        ck_assert_int_eq(poll(&gone, 1, 5000), 1);
        close(gone.fd);
    }
    close(pipes[0]);
    close(pipes[1]);
}
END_TEST

static int count_entries(const char *path)
{
    DIR *directory = opendir(path);
    int count = 0;

    ck_assert_ptr_nonnull(directory);
    while (readdir(directory) != NULL)
        count++;
    closedir(directory);
    return count;
}

START_TEST(leaks_nothing)
{
    struct gb_vm_config config = default_config();
    char *registry = xasprintf("%s/vms", folder);
    struct guest guest;
    int before = 0;

    for (int i = 0; i < 22; i++) {
        start(&guest, &config);
        /* At once, while the launcher confines itself, and when QEMU runs. */
        while (i % 3 != 0 && gb_vm_pid(guest.vm) == 0 && guest.dead == 0)
            uv_run(&uv, UV_RUN_ONCE);
        for (int turn = 0; turn < i % 5; turn++)
            uv_run(&uv, UV_RUN_NOWAIT);
        end(&guest);
        uv_run(&uv, UV_RUN_NOWAIT);
        if (i == 1)
            before = count_entries("/proc/self/fd");
    }
    ck_assert_int_eq(count_entries("/proc/self/fd"), before);
    ck_assert_int_eq(count_entries(registry), 2); /* . and .. */
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
    ck_assert_int_eq(errno, ECHILD);
    free(registry);
}
END_TEST

static void has_line(const char *text, const char *line)
{
    ck_assert_msg(strstr(text, line) != NULL, "no \"%s\" in:\n%s", line, text);
}

static void read_proc(pid_t pid, const char *file, struct gb_buf *text)
{
    char *path = xasprintf("/proc/%d/%s", pid, file);

    gb_buf_clear(text);
    ck_assert_int_eq(gb_fd_read_file(path, 65536, text, NULL), 0);
    free(path);
}

START_TEST(isolates)
{
    static const char *const spaces[] = {"mnt", "net", "ipc", "uts", "pid"};
    static const char *const hidden[] = {"home", "root", "etc/passwd", "proc/self", "usr/bin/sh"};
    struct gb_buf text = {0};
    struct guest guest;
    pid_t pid;

    boot(&guest);
    pid = gb_vm_pid(guest.vm);
    ck_assert_uint_eq(gb_vm_guard_stages(guest.vm), gb_guard_wanted());
    read_proc(pid, "status", &text);
    has_line(gb_buf_str(&text), "\nSeccomp:\t2\n");
    has_line(gb_buf_str(&text), "\nNoNewPrivs:\t1\n");
    has_line(gb_buf_str(&text), "\nCapInh:\t0000000000000000\n");
    has_line(gb_buf_str(&text), "\nCapPrm:\t0000000000000000\n");
    has_line(gb_buf_str(&text), "\nCapEff:\t0000000000000000\n");
    has_line(gb_buf_str(&text), "\nCapBnd:\t0000000000000000\n");
    if (geteuid() == 0) {
        unsigned uid = 0;

        ck_assert_int_eq(sscanf(strstr(gb_buf_str(&text), "\nUid:"), "\nUid: %u", &uid), 1);
        ck_assert_uint_ge(uid, 61184);
        ck_assert_uint_le(uid, 65519);
        has_line(gb_buf_str(&text), "\nGroups:\t \n");
    }
    read_proc(pid, "net/dev", &text);
    has_line(gb_buf_str(&text), "lo:");
    ck_assert_ptr_null(strstr(gb_buf_str(&text), "eth"));
    read_proc(pid, "net/route", &text);
    ck_assert_ptr_null(strstr(gb_buf_str(&text), "lo")); /* lo is down: no route over it */
    for (size_t i = 0; i < ARRAY_SIZE(spaces); i++) {
        char *theirs = xasprintf("/proc/%d/ns/%s", pid, spaces[i]);
        char *ours = xasprintf("/proc/self/ns/%s", spaces[i]);
        char a[64] = "", b[64] = "";

        ck_assert_int_gt(readlink(theirs, a, sizeof(a) - 1), 0);
        ck_assert_int_gt(readlink(ours, b, sizeof(b) - 1), 0);
        ck_assert_str_ne(a, b);
        free(theirs);
        free(ours);
    }
    for (size_t i = 0; i < ARRAY_SIZE(hidden); i++) {
        char *path = xasprintf("/proc/%d/root/%s", pid, hidden[i]);

        ck_assert_int_ne(access(path, F_OK), 0);
        free(path);
    }
    read_proc(pid, "mountinfo", &text);
    for (const char *line = gb_buf_str(&text); line != NULL && *line != '\0';
         line = strchr(line, '\n') != NULL ? strchr(line, '\n') + 1 : NULL) {
        char mode[8] = "";

        ck_assert_int_eq(sscanf(line, "%*s %*s %*s %*s %*s %3s", mode), 1);
        ck_assert_str_eq(mode, "ro,");
    }
    gb_buf_release(&text);
    end(&guest);
}
END_TEST

/* Two processes that an earlier server may have left: one is noted with its start time, the other
 * got a pid that was used before. */
START_TEST(reaps_what_a_dead_server_left)
{
    char *path[2];
    pid_t left[2];
    int status, called = 0;

    for (size_t i = 0; i < ARRAY_SIZE(left); i++) {
        unsigned long long start = 0;
        struct gb_buf text = {0};
        char *content;

        left[i] = fork();
        if (left[i] == 0) {
            pause();
            _exit(0);
        }
        read_proc(left[i], "stat", &text);
        ck_assert_int_eq(sscanf(strrchr(gb_buf_str(&text), ')') + 1,
                                " %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
                                "%*s %*s %*s %llu",
                                &start),
                         1);
        gb_buf_release(&text);
        path[i] = xasprintf("%s/vms/%d", folder, left[i]);
        content = xasprintf("server %d 1\nlauncher %d 1\nqemu %d %llu\n", getpid(), getpid(),
                            left[i], i == 0 ? start : start + 1);
        ck_assert_int_eq(gb_fd_replace_file(path[i], gb_bytes_str(content), 0600, NULL), 0);
        free(content);
    }
    gb_host_free(host);
    host = NULL;
    gb_host_open(loop,
                 &(struct gb_host_config){.run = folder, .cache = folder, .accel = GB_ACCEL_TCG},
                 on_host, &called);
    wait_for(&called, 1);
    ck_assert_ptr_nonnull(host);
    ck_assert_int_eq(waitpid(left[0], &status, 0), left[0]);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    ck_assert_int_eq(waitpid(left[1], &status, WNOHANG), 0);
    kill(left[1], SIGKILL);
    ck_assert_int_eq(waitpid(left[1], &status, 0), left[1]);
    for (size_t i = 0; i < ARRAY_SIZE(left); i++) {
        ck_assert_int_ne(access(path[i], F_OK), 0);
        free(path[i]);
    }
}
END_TEST

START_TEST(refuses_what_cannot_be)
{
    struct gb_vm_config config = default_config();
    struct gb_err err = {0};
    struct gb_vm *vm = NULL;
    struct guest guest = {0};

    config.memory_mb = 1;
    ck_assert_int_eq(gb_vm_start(host, &config, &events, &guest, &vm, &err), -GB_EINVALID);
    config = default_config();
    config.ram = GB_RAM_PRIVATE_FILE;
    config.ram_path = "/tmp/a,b";
    ck_assert_int_eq(gb_vm_start(host, &config, &events, &guest, &vm, &err), -GB_EINVALID);
    /* The launcher cannot open it: told by `dead`. */
    config.ram_path = "/nonexistent/ram";
    start(&guest, &config);
    finish(&guest);
    ck_assert_int_eq(guest.why.code, GB_EBOOT);
    ck_assert_ptr_nonnull(strstr(guest.why.message, "/nonexistent/ram"));
    /* No guest is that quick. */
    config = default_config();
    config.boot_timeout_ms = 50;
    start(&guest, &config);
    finish(&guest);
    ck_assert_int_eq(guest.why.code, GB_EBOOT);
    ck_assert_ptr_nonnull(strstr(guest.why.message, "did not start"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("vm");
    TCase *tests = tcase_create("vm");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 110);
    tcase_add_test(tests, boots_and_answers);
    tcase_add_test(tests, tells_how_it_died);
    tcase_add_test(tests, launcher_death_is_qemus_death);
    tcase_add_test(tests, server_death_leaves_nothing);
    tcase_add_test(tests, leaks_nothing);
    tcase_add_test(tests, isolates);
    tcase_add_test(tests, reaps_what_a_dead_server_left);
    tcase_add_test(tests, refuses_what_cannot_be);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "confine/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "check_run.h"

static int pair[2];

/* The sanitizers' _exit() makes other calls first. */
static void leave(int status)
{
    (void)syscall(SYS_exit_group, status);
}

/* What it needs. */
static void exchange(void)
{
    char byte;

    if (send(pair[0], "x", 1, 0) != 1 || recv(pair[1], &byte, 1, 0) != 1 ||
        write(pair[1], "y", 1) != 1 || read(pair[0], &byte, 1) != 1 ||
        shutdown(pair[0], SHUT_WR) != 0)
        leave(2);
}

static void map(void)
{
    if (mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
        leave(2);
}

/* And what somebody would who has taken it over. */
static void map_code(void)
{
    (void)mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void protect(void)
{
    static char page[8192];

    (void)syscall(SYS_mprotect, ((uintptr_t)page + 4095) & ~(uintptr_t)4095, 4096,
                  PROT_READ | PROT_EXEC);
}

static void open_file(void)
{
    (void)open("/etc/passwd", O_RDONLY | O_CLOEXEC);
}

/* To a server of the guest. */
static void connect_tcp(void)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(1), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        leave(2);
    (void)connect(fd, (const struct sockaddr *)&address, sizeof(address));
}

static void open_datagram(void)
{
    (void)socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static void open_raw(void)
{
    (void)socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
}

static void open_local(void)
{
    (void)socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static void start(void)
{
    char *const nothing[] = {NULL};

    (void)execve("/bin/true", nothing, nothing);
}

static void multiply(void)
{
    if (syscall(SYS_fork) == 0)
        leave(0);
}

static void trace(void)
{
    (void)syscall(SYS_ptrace, 0, 0, 0, 0);
}

static void load(void)
{
    (void)syscall(SYS_bpf, 0, NULL, 0);
}

static const struct {
    void (*act)(void);
    bool allowed;
} acts[] = {
    {exchange, true},    {map, true},         {map_code, false},      {protect, false},
    {open_file, false},  {connect_tcp, true}, {open_datagram, false}, {open_raw, false},
    {open_local, false}, {start, false},      {multiply, false},      {trace, false},
    {load, false},
};

START_TEST(what_remains_possible)
{
    int status;
    pid_t pid;

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || confine_calls() != 0)
            leave(3);
        acts[_i].act();
        leave(0);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    if (acts[_i].allowed)
        ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%d: %#x", _i,
                      (unsigned)status);
    else
        ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS, "%d: %#x", _i,
                      (unsigned)status);
    (void)close(pair[0]);
    (void)close(pair[1]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("confine");
    TCase *tests = tcase_create("all");

    tcase_add_loop_test(tests, what_remains_possible, 0, (int)ARRAY_SIZE(acts));
    suite_add_tcase(suite, tests);
    return check_run(suite);
}

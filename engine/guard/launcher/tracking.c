/* SPDX-License-Identifier: Apache-2.0 */
#include "guard/launcher/tracking.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>

#if defined(__x86_64__)
typedef struct user_regs_struct tracking_registers;
static const unsigned char tracking_code[] = {0x0f, 0x05}; /* syscall */

static unsigned long long tracking_position(const tracking_registers *registers)
{
    return registers->rip;
}

static void tracking_call(tracking_registers *registers)
{
    registers->rax = SYS_userfaultfd;
    registers->orig_rax = (unsigned long long)-1; /* no call is to be restarted */
    registers->rdi = TRACKING_FLAGS;
}
#elif defined(__aarch64__)
typedef struct user_regs_struct tracking_registers;
static const unsigned char tracking_code[] = {0x01, 0x00, 0x00, 0xd4}; /* svc #0 */

static unsigned long long tracking_position(const tracking_registers *registers)
{
    return registers->pc;
}

static void tracking_call(tracking_registers *registers)
{
    registers->regs[8] = SYS_userfaultfd;
    registers->regs[0] = TRACKING_FLAGS;
}
#else
#error "the registers of a system call on this processor"
#endif

enum { LATE_MAX = 16 }; /* with more than that it gets no descriptor */

/* Signals that arrived while the child was being traced. */
struct tracking_late {
    int signals[LATE_MAX];
    int count;
};

void tracking_expect(void)
{
    (void)ptrace(PTRACE_TRACEME, 0, NULL, NULL); /* without it there is no descriptor */
}

static bool tracking_registers_move(pid_t child, tracking_registers *registers, bool writes)
{
    struct iovec vector = {registers, sizeof(*registers)};

    return ptrace(writes ? PTRACE_SETREGSET : PTRACE_GETREGSET, child, (void *)NT_PRSTATUS,
                  &vector) == 0;
}

/* The signal by which it is stopped; 0: it ends instead, and whoever waits for it will be told. */
static int tracking_await_stop(pid_t child)
{
    siginfo_t info = {0};
    int status;

    while (waitid(P_PID, (id_t)child, &info, WSTOPPED | WEXITED | WNOWAIT) < 0 && errno == EINTR)
        ;
    if (info.si_code != CLD_TRAPPED && info.si_code != CLD_STOPPED)
        return 0;
    (void)waitpid(child, &status, WNOHANG);
    return info.si_status;
}

/* Lets it take one step. A signal that others have sent it stops it before that, and is ours now:
 * it is sent again, before the child goes on. */
static void tracking_step(pid_t child, struct tracking_late *late)
{
    while (late->count < LATE_MAX && ptrace(PTRACE_SINGLESTEP, child, NULL, NULL) == 0) {
        int signum = tracking_await_stop(child);

        if (signum == 0 || signum == SIGTRAP)
            return;
        late->signals[late->count++] = signum;
    }
}

/* The call stands where the process is, for one step, and all is put back. */
static void tracking_inject(pid_t child)
{
    tracking_registers before, during;
    struct tracking_late late = {.count = 0};
    void *at;
    long code, changed;

    if (!tracking_registers_move(child, &before, false))
        return;
    /* An address of another process's. NOLINTNEXTLINE(performance-no-int-to-ptr) */
    at = (void *)(uintptr_t)tracking_position(&before);
    errno = 0;
    code = ptrace(PTRACE_PEEKTEXT, child, at, NULL);
    if (errno != 0)
        return;
    changed = code;
    memcpy(&changed, tracking_code, sizeof(tracking_code));
    during = before;
    tracking_call(&during);
    if (ptrace(PTRACE_POKETEXT, child, at, changed) < 0)
        return;
    if (tracking_registers_move(child, &during, true))
        tracking_step(child, &late);
    /* If any of these fails, it cannot run: without tracing it would be in the wrong place. */
    if (ptrace(PTRACE_POKETEXT, child, at, code) < 0 ||
        !tracking_registers_move(child, &before, true))
        (void)kill(child, SIGKILL);
    for (int i = 0; i < late.count; i++) /* in their order: SIGCONT takes SIGSTOP back */
        (void)kill(child, late.signals[i]);
}

bool tracking_give(pid_t child, int status)
{
    if (!WIFSTOPPED(status))
        return false;
    if (WSTOPSIG(status) == SIGTRAP)
        tracking_inject(child);
    (void)ptrace(PTRACE_DETACH, child, NULL,
                 (void *)(uintptr_t)(WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status)));
    return true;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* netd parses what programs send. If one of them takes it over, it should find neither a way to
 * start a program, nor to open a file, nor to make memory executable: what remains are the
 * descriptors that it has, what the host allows through them, and TCP connections as any program of
 * the guest may have, which it needs to lead the host's clients to the guest's servers. */
#include "confine.h"

#include <errno.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "base/mem.h"

static const int confine_allowed[] = {
    /* the loop */
    SCMP_SYS(epoll_wait),
    SCMP_SYS(epoll_pwait),
    SCMP_SYS(epoll_ctl),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(restart_syscall),
    /* port, connections, packets */
    SCMP_SYS(read),
    SCMP_SYS(write),
    SCMP_SYS(recvfrom),
    SCMP_SYS(recvmsg),
    SCMP_SYS(sendto),
    SCMP_SYS(sendmsg),
    SCMP_SYS(accept4),
    SCMP_SYS(connect), /* socket: below */
    SCMP_SYS(getsockname),
    SCMP_SYS(getpeername),
    SCMP_SYS(getsockopt),
    SCMP_SYS(setsockopt),
    SCMP_SYS(shutdown),
    SCMP_SYS(close),
    /* memory; mmap: below */
    SCMP_SYS(brk),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(madvise),
    /* the end */
    SCMP_SYS(exit_group),
    SCMP_SYS(rt_sigreturn),
};

/* TCP sockets only, as netd makes them. */
static int confine_sockets(scmp_filter_ctx ctx)
{
    const int families[] = {AF_INET, AF_INET6};
    int r = 0;

    for (size_t i = 0; i < ARRAY_SIZE(families) && r == 0; i++)
        r = seccomp_rule_add(
            ctx, SCMP_ACT_ALLOW, SCMP_SYS(socket), 3,
            SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)families[i], 0),
            SCMP_A1(SCMP_CMP_EQ, (scmp_datum_t)(SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC), 0),
            SCMP_A2(SCMP_CMP_EQ, 0, 0));
    return r;
}

int confine_calls(void)
{
    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
    int r = ctx == NULL ? -ENOMEM : 0;

    for (size_t i = 0; i < ARRAY_SIZE(confine_allowed) && r == 0; i++)
        r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, confine_allowed[i], 0);
    if (r == 0)
        r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
                             SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    if (r == 0)
        r = confine_sockets(ctx);
    if (r == 0)
        r = seccomp_load(ctx);
    seccomp_release(ctx);
    return r;
}

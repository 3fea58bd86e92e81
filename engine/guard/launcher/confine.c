/* SPDX-License-Identifier: Apache-2.0 */
#include "guard/launcher/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "guard/launcher/limits.h"
#include "guard/launcher/stages.h"

#define CALL(name) SCMP_SYS(name)
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What is left: bytes in and out of descriptors, memory, time and random numbers. */
static const int allowed[] = {
    CALL(read),
    CALL(write),
    CALL(readv),
    CALL(writev),
    CALL(recvmsg),
    CALL(sendmsg),
    CALL(recvfrom),
    CALL(sendto),
    CALL(shutdown),
    CALL(poll),
    CALL(ppoll),
    CALL(close),
    CALL(fstat),
    CALL(lseek),
    CALL(brk),
    CALL(munmap),
    CALL(mremap),
    CALL(madvise),
    CALL(getrandom),
    CALL(clock_gettime),
    CALL(gettimeofday),
    CALL(time),
    CALL(getpid),
    CALL(gettid),
    CALL(futex),
    CALL(rt_sigreturn),
    CALL(rt_sigprocmask),
    CALL(restart_syscall),
    CALL(exit),
    CALL(exit_group),
};

/* It has no reason to make these; if it does, it has been taken over. Opening a file fails, as
 * everything else: the C library may try, for a time zone or a language. */
static const int hostile[] = {
    CALL(execve),  CALL(execveat), CALL(fork),  CALL(vfork),  CALL(clone),
    CALL(socket),  CALL(connect),  CALL(bind),  CALL(listen), CALL(accept),
    CALL(accept4), CALL(ptrace),   CALL(mount), CALL(setns),  CALL(unshare),
    CALL(bpf),     CALL(kill),     CALL(tkill), CALL(keyctl), CALL(process_vm_readv),
    CALL(unlink),  CALL(rename),   CALL(chmod), CALL(prctl),  CALL(process_vm_writev),
};

/* Memory of its own that cannot be executed; flags of descriptors. */
static int confine_add_rules(scmp_filter_ctx filter)
{
    static const unsigned long commands[] = {F_GETFD, F_SETFD, F_GETFL, F_SETFL};
    int r = 0;

    for (size_t i = 0; i < COUNT(allowed) && r == 0; i++)
        r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
    for (size_t i = 0; i < COUNT(hostile) && r == 0; i++)
        r = seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, hostile[i], 0);
    for (size_t i = 0; i < COUNT(commands) && r == 0; i++)
        r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(fcntl), 1,
                             SCMP_A1(SCMP_CMP_EQ, commands[i], 0));
    if (r == 0)
        r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(mmap), 2,
                             SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0),
                             SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_SHARED | MAP_ANONYMOUS | MAP_PRIVATE,
                                     MAP_ANONYMOUS | MAP_PRIVATE));
    if (r == 0)
        r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(mprotect), 1,
                             SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    return r;
}

static int confine_filter(void)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    int r;

    if (filter == NULL)
        return -ENOMEM;
    r = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    if (r == 0)
        r = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    if (r == 0)
        r = confine_add_rules(filter);
    if (r == 0)
        r = seccomp_load(filter);
    seccomp_release(filter);
    return r;
}

static int confine_limits(unsigned descriptors, size_t memory)
{
    const struct {
        limits_resource resource;
        rlim_t limit;
    } limits[] = {{RLIMIT_CORE, 0},     {RLIMIT_FSIZE, 0},     {RLIMIT_NPROC, 0},
                  {RLIMIT_MSGQUEUE, 0}, {RLIMIT_DATA, memory}, {RLIMIT_NOFILE, descriptors}};

    for (size_t i = 0; i < COUNT(limits); i++) {
        const int r = limits_lower(limits[i].resource, limits[i].limit);

        if (r < 0)
            return r;
    }
    return 0;
}

/* Nobody of the same user can read its memory, or find it in a core dump. */
static int confine_hide(void)
{
    return prctl(PR_SET_DUMPABLE, 0) < 0 ? -errno : 0;
}

/* Root's capabilities; other users have none, and cannot drop the bounding set. */
static int confine_capabilities(void)
{
    int r = stage_bounding_set();

    return r == 0 ? stage_capabilities() : r == -EPERM ? 0 : r;
}

int confine_enter(int lifeline, unsigned descriptors, size_t memory, const char **ret_what)
{
    int r = stage_death_signal(lifeline);

    *ret_what = "death signal";
    if (r == 0) {
        *ret_what = "limits";
        r = confine_limits(descriptors, memory);
    }
    if (r == 0) {
        *ret_what = "memory";
        r = confine_hide();
    }
    if (r == 0) {
        *ret_what = "capabilities";
        r = confine_capabilities();
    }
    if (r == 0) {
        *ret_what = "no-new-privs";
        r = stage_no_new_privs();
    }
    if (r == 0) {
        *ret_what = "seccomp";
        r = confine_filter();
    }
    return r;
}

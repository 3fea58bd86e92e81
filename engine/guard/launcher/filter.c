/* SPDX-License-Identifier: Apache-2.0 */
/* QEMU's seccomp filter, as data.
 *
 * Theory of operation. The lists below are allow lists, grouped by purpose. They were measured with
 * strace on QEMU 7.2 under TCG (start, boot, run, save, load, exit), and extended by what its
 * sources and the C library call in the same places in other versions. Calls in no list fail with
 * EPERM, which QEMU survives; calls that no QEMU has any reason to make kill the process, and with
 * it the attack. QEMU adds its own -sandbox on top.
 *
 * Deliberately missing: sockets other than those that QEMU inherits, processes (clone only makes
 * threads), any change of user, time, limits or namespaces, and memory that no limit covers
 * (memfd_create, shared anonymous mappings).
 */
#include "guard/launcher/filter.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <termios.h>

#include "guard/launcher/tracking.h"

#define CALL(name) SCMP_SYS(name)

static const int allowed[] = {
    /* #syscalls start of a dynamic program, C library */
    CALL(execve),
    CALL(brk),
    CALL(arch_prctl),
    CALL(access),
    CALL(faccessat),
    CALL(faccessat2),
    CALL(set_tid_address),
    CALL(set_robust_list),
    CALL(get_robust_list),
    CALL(rseq),
    CALL(prlimit64),
    CALL(getrlimit),
    CALL(getrandom),
    CALL(uname),
    CALL(sysinfo),
    CALL(getpid),
    CALL(gettid),
    CALL(getppid),
    CALL(getuid),
    CALL(geteuid),
    CALL(getgid),
    CALL(getegid),
    CALL(getpgrp),
    CALL(getpgid),
    CALL(getsid),
    CALL(getcwd),
    CALL(umask),
    CALL(restart_syscall),
    CALL(exit),
    CALL(exit_group),
    CALL(getcpu),
    CALL(getrusage),
    CALL(times),
    CALL(capget),

    /* #syscalls memory: guest RAM, translated code */
    CALL(munmap),
    CALL(mprotect),
    CALL(mremap),
    CALL(madvise),
    CALL(msync),
    CALL(mincore),
    CALL(mlock),
    CALL(munlock),
    CALL(membarrier),

    /* #syscalls files: firmware, kernel, disk; device state through descriptors */
    CALL(openat2),
    CALL(close),
    CALL(close_range),
    CALL(read),
    CALL(write),
    CALL(readv),
    CALL(writev),
    CALL(pread64),
    CALL(pwrite64),
    CALL(preadv),
    CALL(pwritev),
    CALL(preadv2),
    CALL(pwritev2),
    CALL(lseek),
    CALL(fstat),
    CALL(stat),
    CALL(lstat),
    CALL(newfstatat),
    CALL(statx),
    CALL(fstatfs),
    CALL(statfs),
    CALL(readlink),
    CALL(readlinkat),
    CALL(getdents64),
    CALL(fcntl),
    CALL(flock),
    CALL(dup),
    CALL(dup2),
    CALL(dup3),
    CALL(fdatasync),
    CALL(fsync),
    CALL(ftruncate),
    CALL(fallocate),
    CALL(fadvise64),
    CALL(sync_file_range),
    CALL(ioprio_set),

    /* #syscalls event loops: poll, eventfd, timers, signals */
    CALL(poll),
    CALL(ppoll),
    CALL(select),
    CALL(pselect6),
    CALL(epoll_create1),
    CALL(epoll_ctl),
    CALL(epoll_wait),
    CALL(epoll_pwait),
    CALL(epoll_pwait2),
    CALL(eventfd2),
    CALL(pipe2),
    CALL(timerfd_create),
    CALL(timerfd_settime),
    CALL(timerfd_gettime),
    CALL(timer_create),
    CALL(timer_settime),
    CALL(timer_gettime),
    CALL(timer_delete),
    CALL(timer_getoverrun),
    CALL(clock_gettime),
    CALL(clock_getres),
    CALL(clock_nanosleep),
    CALL(nanosleep),
    CALL(gettimeofday),
    CALL(time),
    CALL(rt_sigaction),
    CALL(rt_sigprocmask),
    CALL(rt_sigreturn),
    CALL(rt_sigtimedwait),
    CALL(rt_sigpending),
    CALL(rt_sigsuspend),
    CALL(sigaltstack),
    CALL(signalfd4),
    CALL(alarm),
    CALL(setitimer),

    /* #syscalls threads */
    CALL(futex),
    CALL(futex_waitv),
    CALL(sched_yield),
    CALL(sched_getaffinity),
    CALL(sched_getparam),
    CALL(sched_getscheduler),
    CALL(sched_get_priority_max),
    CALL(sched_get_priority_min),

    /* #syscalls the sockets that QEMU was given: monitor, agent, console */
    CALL(sendmsg),
    CALL(recvmsg),
    CALL(sendto),
    CALL(recvfrom),
    CALL(getsockopt),
    CALL(setsockopt),
    CALL(getsockname),
    CALL(getpeername),
    CALL(shutdown),

    /* #syscalls its own -sandbox */
    CALL(seccomp),
};

/* No version of QEMU calls these; if it does, it has been taken over. */
static const int hostile[] = {
    CALL(ptrace),
    CALL(process_vm_readv),
    CALL(process_vm_writev),
    CALL(kcmp),
    CALL(pidfd_getfd),
    CALL(mount),
    CALL(umount2),
    CALL(pivot_root),
    CALL(chroot),
    CALL(move_mount),
    CALL(open_tree),
    CALL(fsopen),
    CALL(fsmount),
    CALL(fsconfig),
    CALL(fspick),
    CALL(mount_setattr),
    CALL(unshare),
    CALL(setns),
    CALL(bpf),
    CALL(perf_event_open),
    CALL(keyctl),
    CALL(add_key),
    CALL(request_key),
    CALL(kexec_load),
    CALL(kexec_file_load),
    CALL(init_module),
    CALL(finit_module),
    CALL(delete_module),
    CALL(reboot),
    CALL(swapon),
    CALL(swapoff),
    CALL(iopl),
    CALL(ioperm),
    CALL(modify_ldt),
    CALL(acct),
    CALL(quotactl),
    CALL(settimeofday),
    CALL(clock_settime),
    CALL(clock_adjtime),
    CALL(adjtimex),
    CALL(sethostname),
    CALL(setdomainname),
    CALL(syslog),
    CALL(open_by_handle_at),
    CALL(name_to_handle_at),
    CALL(fanotify_init),
    CALL(vhangup),
    CALL(lookup_dcookie),
    CALL(mknod),
    CALL(mknodat),
    CALL(chown),
    CALL(fchown),
    CALL(lchown),
    CALL(fchownat),
};

static const unsigned long ioctls[] = {FIONBIO, FIONREAD, FIOCLEX, TCGETS, TIOCGWINSZ};

/* Without PR_SET_PDEATHSIG: QEMU must not outlive its launcher. */
static const unsigned long prctls[] = {
    PR_SET_NAME,    PR_GET_NAME,    PR_SET_TIMERSLACK, PR_SET_NO_NEW_PRIVS, PR_GET_NO_NEW_PRIVS,
    PR_SET_SECCOMP, PR_GET_SECCOMP, PR_CAPBSET_READ,   PR_GET_DUMPABLE,
#ifdef PR_SET_VMA
    PR_SET_VMA,
#endif
};

/* The type of all KVM ioctls (linux/kvm.h, KVMIO). */
enum { KVM_IOCTL_TYPE = 0xae };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Private mappings are bounded by RLIMIT_DATA, shared ones by the size of their file. */
static int add_mappings(scmp_filter_ctx filter)
{
    static const unsigned long kinds[] = {0, MAP_SHARED, MAP_ANONYMOUS};
    int r = 0;

    for (size_t i = 0; i < COUNT(kinds) && r == 0; i++)
        r = seccomp_rule_add(
            filter, SCMP_ACT_ALLOW, CALL(mmap), 1,
            SCMP_A3(SCMP_CMP_MASKED_EQ, (unsigned long)(MAP_SHARED | MAP_ANONYMOUS), kinds[i]));
    return r;
}

static int add_opens(scmp_filter_ctx filter)
{
    static const unsigned modes[] = {O_RDONLY, O_WRONLY};
    int r = 0;

    for (size_t i = 0; i < COUNT(modes) && r == 0; i++) {
        r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(open), 1,
                             SCMP_A1(SCMP_CMP_MASKED_EQ, O_ACCMODE, modes[i]));
        if (r == 0)
            r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(openat), 1,
                                 SCMP_A2(SCMP_CMP_MASKED_EQ, O_ACCMODE, modes[i]));
    }
    if (r == 0)
        r = seccomp_rule_add(filter, SCMP_ACT_NOTIFY, CALL(openat), 1,
                             SCMP_A2(SCMP_CMP_MASKED_EQ, O_ACCMODE, O_RDWR));
    return r;
}

/* QEMU is process 1 of its namespace, so the kernel ignores its SIGABRT, and abort() continues with
 * an instruction that ends it like a memory fault. So the launcher is notified instead, and kills
 * it. */
static int add_signals(scmp_filter_ctx filter)
{
    int r =
        seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(tgkill), 1, SCMP_A2(SCMP_CMP_NE, SIGABRT, 0));

    return r < 0 ? r
                 : seccomp_rule_add(filter, SCMP_ACT_NOTIFY, CALL(tgkill), 1,
                                    SCMP_A2(SCMP_CMP_EQ, SIGABRT, 0));
}

/* Only the call that the launcher makes in its place. */
static int add_tracking(scmp_filter_ctx filter)
{
    int r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(userfaultfd), 1,
                             SCMP_A0(SCMP_CMP_EQ, TRACKING_FLAGS, 0));

    return r < 0 ? r
                 : seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, CALL(userfaultfd), 1,
                                    SCMP_A0(SCMP_CMP_NE, TRACKING_FLAGS, 0));
}

static int add_rules(scmp_filter_ctx filter, bool kvm)
{
    int r = 0;

    for (size_t i = 0; i < COUNT(allowed) && r == 0; i++)
        r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
    for (size_t i = 0; i < COUNT(hostile) && r == 0; i++)
        r = seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, hostile[i], 0);
    for (size_t i = 0; i < COUNT(ioctls) && r == 0; i++)
        r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(ioctl), 1,
                             SCMP_A1(SCMP_CMP_EQ, ioctls[i], 0));
    for (size_t i = 0; i < COUNT(prctls) && r == 0; i++)
        r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(prctl), 1,
                             SCMP_A0(SCMP_CMP_EQ, prctls[i], 0));
    if (r == 0 && kvm)
        r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(ioctl), 1,
                             SCMP_A1(SCMP_CMP_MASKED_EQ, 0xff00, KVM_IOCTL_TYPE << 8));
    if (r == 0)
        r = seccomp_rule_add(
            filter, SCMP_ACT_ALLOW, CALL(clone), 1,
            SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD | CLONE_VM, CLONE_THREAD | CLONE_VM));
    /* Its flags are in memory, which a filter cannot read; without it the C library uses clone. */
    if (r == 0)
        r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), CALL(clone3), 0);
    if (r == 0)
        r = add_tracking(filter);
    if (r == 0)
        r = add_signals(filter);
    if (r == 0)
        r = add_mappings(filter);
    return r == 0 ? add_opens(filter) : r;
}

int gb_filter_load(bool kvm, int *ret_listener)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    int r;

    if (filter == NULL)
        return -ENOMEM;
    r = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    /* A binary tree: some calls are made thousands of times a second. */
    if (r == 0)
        r = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    if (r == 0)
        r = add_rules(filter, kvm);
    if (r == 0)
        r = seccomp_load(filter);
    if (r == 0) {
        *ret_listener = seccomp_notify_fd(filter);
        if (*ret_listener < 0)
            r = *ret_listener;
    }
    seccomp_release(filter);
    return r;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "init.h"

/* ptrace is allowed: it only reaches processes of the same user, and gdb and strace need it. */
static const int refused[] = {
    SCMP_SYS(mount),
    SCMP_SYS(umount2),
    SCMP_SYS(pivot_root),
    SCMP_SYS(chroot),
    SCMP_SYS(move_mount),
    SCMP_SYS(open_tree),
    SCMP_SYS(fsopen),
    SCMP_SYS(fsconfig),
    SCMP_SYS(fsmount),
    SCMP_SYS(fspick),
    SCMP_SYS(mount_setattr),
    SCMP_SYS(setns),
    SCMP_SYS(unshare),
    SCMP_SYS(bpf),
    SCMP_SYS(perf_event_open),
    SCMP_SYS(userfaultfd),
    SCMP_SYS(keyctl),
    SCMP_SYS(add_key),
    SCMP_SYS(request_key),
    SCMP_SYS(kexec_load),
    SCMP_SYS(kexec_file_load),
    SCMP_SYS(reboot),
    SCMP_SYS(swapon),
    SCMP_SYS(swapoff),
    SCMP_SYS(init_module),
    SCMP_SYS(finit_module),
    SCMP_SYS(delete_module),
    SCMP_SYS(acct),
    SCMP_SYS(quotactl),
    SCMP_SYS(syslog),
    SCMP_SYS(vhangup),
    SCMP_SYS(settimeofday),
    SCMP_SYS(clock_settime),
    SCMP_SYS(adjtimex),
    SCMP_SYS(clock_adjtime),
    SCMP_SYS(sethostname),
    SCMP_SYS(setdomainname),
    SCMP_SYS(iopl),
    SCMP_SYS(ioperm),
    SCMP_SYS(modify_ldt),
    SCMP_SYS(fanotify_init),
    SCMP_SYS(open_by_handle_at),
    SCMP_SYS(name_to_handle_at),
    SCMP_SYS(lookup_dcookie),
    SCMP_SYS(nfsservctl),
};

/* Runtimes probe for these and work without them. */
static const int missing[] = {
    SCMP_SYS(io_uring_setup),
    SCMP_SYS(io_uring_enter),
    SCMP_SYS(io_uring_register),
    /* Its flags are behind a pointer, which a filter cannot follow; the C library falls back to
     * clone(). */
    SCMP_SYS(clone3),
};

/* All sockets except local, IPv4, IPv6 and route netlink. */
static int refuse_sockets(scmp_filter_ctx ctx)
{
    static const int families[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};
    int r = 0;

    /* Families are small numbers: those below the limit that are not in the list individually, the
     * rest as a range. */
    for (int family = 0; family <= AF_INET6 + 10 && r == 0; family++) {
        bool allowed = false;

        for (size_t i = 0; i < ARRAY_SIZE(families); i++)
            allowed = allowed || families[i] == family;
        if (!allowed)
            r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 1,
                                 SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)family));
    }
    if (r == 0)
        r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 1,
                             SCMP_A0(SCMP_CMP_GT, AF_INET6 + 10));
    /* getaddrinfo() and others query addresses through route netlink, protocol 0. */
    if (r == 0)
        r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 2,
                             SCMP_A0(SCMP_CMP_EQ, AF_NETLINK), SCMP_A2(SCMP_CMP_NE, 0));
    return r;
}

static int add_rules(scmp_filter_ctx ctx)
{
    const scmp_datum_t namespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
                                    CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;
    int r = 0;

    for (size_t i = 0; i < ARRAY_SIZE(refused) && r == 0; i++)
        r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), refused[i], 0);
    for (size_t i = 0; i < ARRAY_SIZE(missing) && r == 0; i++)
        r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), missing[i], 0);
    /* A filter compares one group of bits at a time, so there is one rule per namespace flag. */
    for (scmp_datum_t flag = 1; flag <= namespaces && r == 0; flag <<= 1) {
        if ((namespaces & flag) != 0)
            r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
                                 SCMP_A0(SCMP_CMP_MASKED_EQ, flag, flag));
    }
    /* TIOCSTI injects input into a terminal, TIOCLINUX into a console. */
    if (r == 0)
        r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), 1,
                             SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffff, 0x5412));
    if (r == 0)
        r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), 1,
                             SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffff, 0x541c));
    return r == 0 ? refuse_sockets(ctx) : r;
}

/* The library only exports a filter through a descriptor. */
static int take_filter(scmp_filter_ctx ctx, struct sandbox *sandbox)
{
    _cleanup_(closep) int fd = memfd_create("filter", MFD_CLOEXEC);
    struct stat status;
    ssize_t n;
    int r;

    if (fd < 0)
        return -errno;
    r = seccomp_export_bpf(ctx, fd);
    if (r < 0)
        return r;
    if (fstat(fd, &status) < 0 || lseek(fd, 0, SEEK_SET) < 0)
        return -errno;
    sandbox->filter = xmalloc((size_t)status.st_size);
    n = gb_fd_read_full(fd, sandbox->filter, (size_t)status.st_size);
    if (n != status.st_size)
        return -EIO;
    sandbox->length = (unsigned short)((size_t)status.st_size / sizeof(struct sock_filter));
    return 0;
}

int sandbox_init(struct sandbox *sandbox)
{
    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
    int r;

    *sandbox = (struct sandbox){.nproc = SANDBOX_NPROC};
    if (ctx == NULL)
        return -ENOMEM;
    /* A binary search instead of a chain: the filter runs at every system call. */
    r = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    /* Calls of another ABI (32-bit, x32) fail as in a kernel without it. */
    if (r == 0)
        r = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS));
    if (r == 0)
        r = add_rules(ctx);
    if (r == 0)
        r = take_filter(ctx, sandbox);
    seccomp_release(ctx);
    return r;
}

static const char *drop_capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[2] = {{0}};
    const unsigned long bits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED |
                               SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED |
                               SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;

    for (unsigned long cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++) {
        if (prctl(PR_CAPBSET_DROP, cap) < 0)
            return "dropping a capability";
    }
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
        return "clearing ambient capabilities";
    if (prctl(PR_SET_SECUREBITS, bits) < 0)
        return "securebits";
    if (setgroups(0, NULL) < 0)
        return "setgroups";
    if (setresgid(USER_ID, USER_ID, USER_ID) < 0)
        return "setresgid";
    if (setresuid(USER_ID, USER_ID, USER_ID) < 0)
        return "setresuid";
    if (syscall(SYS_capset, &header, none) < 0)
        return "capset";
    return NULL;
}

static const char *set_limits(const struct sandbox *sandbox)
{
    static const char adjust[] = "500";
    const struct {
        int resource;
        rlim_t value;
    } limits[] = {
        {RLIMIT_NPROC, sandbox->nproc},
        {RLIMIT_NOFILE, SANDBOX_NOFILE},
        {RLIMIT_CORE, 0},
        {RLIMIT_MEMLOCK, 1 << 20},
        {RLIMIT_MSGQUEUE, 0},
        {RLIMIT_RTPRIO, 0},
        {RLIMIT_NICE, 0},
    };
    /* Written with the agent's privileges, so the user can raise the value but not lower it. */
    _cleanup_(closep) int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

    if (fd < 0 || write(fd, adjust, sizeof(adjust) - 1) < 0)
        return "oom_score_adj";
    for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
        struct rlimit limit = {limits[i].value, limits[i].value};

        /* The soft limit stays where programs expect it: select() cannot handle more than 1024. */
        if (limits[i].resource == RLIMIT_NOFILE)
            limit.rlim_cur = 1024;
        if (setrlimit((__rlimit_resource_t)limits[i].resource, &limit) < 0)
            return "setrlimit";
    }
    return NULL;
}

const char *sandbox_enter(const struct sandbox *sandbox)
{
    struct sock_fprog program = {.len = sandbox->length, .filter = sandbox->filter};
    const char *failed = set_limits(sandbox);

    if (failed == NULL)
        failed = drop_capabilities();
    if (failed != NULL)
        return failed;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return "no_new_privs";
    /* Speculation controls would slow down every interpreter and only protect secrets of the same
     * user: the VM holds nobody else's. */
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program) < 0)
        return "seccomp";
    return NULL;
}

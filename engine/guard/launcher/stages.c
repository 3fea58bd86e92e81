/* SPDX-License-Identifier: Apache-2.0 */
#include "guard/launcher/limits.h"
#include "guard/launcher/stages.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

int stage_descriptors(const struct guard_options *options)
{
    if (close_range(GUARD_FD_FIRST + options->keep, ~0u, 0) < 0)
        return -errno;
    if (fcntl(GUARD_FD_STATUS, F_SETFD, FD_CLOEXEC) < 0 ||
        fcntl(GUARD_FD_LIFELINE, F_SETFD, FD_CLOEXEC) < 0)
        return -errno;
    return 0;
}

int stage_death_signal(int lifeline)
{
    struct pollfd parent = {.fd = lifeline, .events = 0};

    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
        return -errno;
    if (poll(&parent, 1, 0) < 0)
        return -errno;
    return (parent.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0 ? -EOWNERDEAD : 0;
}

static int write_text(const char *path, const char *text);

/* When memory runs out, a VM should be killed before the server and the user's other processes. Any
 * process may raise its own score. */
static int offer_to_oom(void)
{
    enum { RAISED = 500, MOST = 1000 };
    char text[16] = "";
    int fd = open("/proc/self/oom_score_adj", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    long mark = n < 0 ? 0 : strtol(text, NULL, 10);

    if (fd >= 0)
        (void)close(fd);
    if (n < 0)
        return -errno;
    mark = (mark > 0 ? mark : 0) + RAISED;
    (void)snprintf(text, sizeof(text), "%ld", mark < MOST ? mark : MOST);
    return write_text("/proc/self/oom_score_adj", text);
}

int stage_limits(bool own_uid, unsigned memory_mb)
{
    /* RLIMIT_DATA counts private writable mappings. QEMU's other mappings are files and address
     * space reserved by libraries, whose page tables use memory too. */
    const rlim_t memory = (rlim_t)memory_mb << 20, mapped = memory + (8ull << 30);
    /* The largest file that QEMU writes is device state; RAM files already have their size. Threads
     * count as processes. */
    const struct {
        limits_resource resource;
        rlim_t limit;
        bool apply;
    } limits[] = {
        {RLIMIT_CORE, 0, true},           {RLIMIT_NOFILE, 128, true},
        {RLIMIT_FSIZE, 256u << 20, true}, {RLIMIT_NPROC, 64, own_uid},
        {RLIMIT_MSGQUEUE, 0, true},       {RLIMIT_DATA, memory, memory > 0},
        {RLIMIT_AS, mapped, memory > 0},
    };

    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        const int r = limits[i].apply ? limits_lower(limits[i].resource, limits[i].limit) : 0;

        if (r < 0)
            return r;
    }
    return offer_to_oom();
}

static int write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    ssize_t n;

    if (fd < 0)
        return -errno;
    n = write(fd, text, strlen(text));
    if (n < 0)
        n = -errno;
    (void)close(fd);
    return n < 0 ? (int)n : 0;
}

int stage_user_namespace(void)
{
    const uid_t uid = geteuid();
    const gid_t gid = getegid();
    char map[64];
    int r;

    if (unshare(CLONE_NEWUSER) < 0)
        return -errno;
    r = write_text("/proc/self/setgroups", "deny");
    if (r < 0)
        return r;
    (void)snprintf(map, sizeof(map), "%u %u 1", gid, gid);
    r = write_text("/proc/self/gid_map", map);
    if (r < 0)
        return r;
    (void)snprintf(map, sizeof(map), "%u %u 1", uid, uid);
    return write_text("/proc/self/uid_map", map);
}

int stage_hostname(void)
{
    static const char name[] = "glassbell";

    return sethostname(name, sizeof(name) - 1) < 0 ? -errno : 0;
}

int stage_user(uid_t uid)
{
    if (uid == 0)
        return -EINVAL;
    if (setgroups(0, NULL) < 0 || setresgid(uid, uid, uid) < 0 || setresuid(uid, uid, uid) < 0)
        return -errno;
    return 0;
}

int stage_bounding_set(void)
{
    for (int capability = 0; prctl(PR_CAPBSET_READ, capability) >= 0; capability++) {
        if (prctl(PR_CAPBSET_DROP, capability) < 0)
            return -errno;
    }
    return 0;
}

int stage_capabilities(void)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {0};

    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
        return -errno;
    if (syscall(SYS_capset, &header, data) < 0)
        return -errno;
    if (syscall(SYS_capget, &header, data) < 0)
        return -errno;
    for (int i = 0; i < 2; i++) {
        if ((data[i].effective | data[i].permitted | data[i].inheritable) != 0)
            return -EPERM;
    }
    return prctl(PR_CAPBSET_READ, CAP_SYS_ADMIN) == 0 ? 0 : -EPERM;
}

int stage_no_new_privs(void)
{
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
}

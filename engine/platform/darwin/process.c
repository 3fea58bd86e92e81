/* SPDX-License-Identifier: Apache-2.0 */
/* A process is a kqueue that waits for its end. The kqueue is readable from then on: nobody takes
 * the event out of it. */
#include "platform/process.h"

#include <errno.h>
#include <libproc.h>
#include <mach/mach_time.h>
#include <malloc/malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/event.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"

int gb_process_open(pid_t pid, struct gb_process *ret_process)
{
    _cleanup_(closep) int fd = kqueue();
    struct kevent event;
    int r = fd < 0 ? -errno : gb_fd_set_cloexec(fd, true);

    if (r < 0)
        return r;
    EV_SET(&event, (uintptr_t)pid, EVFILT_PROC, EV_ADD, NOTE_EXIT, 0, NULL);
    if (kevent(fd, &event, 1, NULL, 0, NULL) < 0)
        return -errno;
    *ret_process = (struct gb_process){.fd = TAKE_FD(fd), .pid = pid};
    return 0;
}

/* Signals name a process by its number. Between the look and the signal the process could end, be
 * reaped, and its number come around again; numbers are given out in turn, so that takes tens of
 * thousands of new processes. */
int gb_process_kill(const struct gb_process *process)
{
    struct pollfd ended = {.fd = process->fd, .events = POLLIN};
    const int n = poll(&ended, 1, 0);

    if (n < 0)
        return -errno;
    if (n > 0)
        return -ESRCH;
    return kill(process->pid, SIGKILL) < 0 ? -errno : 0;
}

void gb_process_close(struct gb_process *process)
{
    process->fd = gb_close(process->fd);
}

bool gb_process_started(pid_t pid, uint64_t *ret_start)
{
    struct proc_bsdinfo info;

    if (proc_pidinfo(pid, PROC_PIDTBSDINFO, 0, &info, sizeof(info)) != (int)sizeof(info))
        return false;
    *ret_start = info.pbi_start_tvsec * (GB_NS_PER_S / 1000) + info.pbi_start_tvusec;
    return true;
}

/* Times of processes are in ticks of the machine's clock, which are 125/3 ns on Apple's own
 * processors, and 1 ns on Intel's. */
static uint64_t process_ticks_ns(uint64_t ticks)
{
    mach_timebase_info_data_t base = {1, 1};

    (void)mach_timebase_info(&base);
    return ticks / base.denom * base.numer + ticks % base.denom * base.numer / base.denom;
}

/* There is no proportional set size. The footprint is what would become free if the process ended:
 * written pages, copies of a file's pages among them, even if compressed or swapped out. */
int gb_process_usage(pid_t pid, struct gb_process_usage *ret_usage, struct gb_err *err)
{
    union {
        struct rusage_info_v4 info;
        rusage_info_t generic;
    } usage = {0};

    if (proc_pid_rusage(pid, RUSAGE_INFO_V4, &usage.generic) < 0)
        return gb_err_sys(err, errno, "cannot see what process %d uses", (int)pid);
    *ret_usage = (struct gb_process_usage){
        .pss_bytes = usage.info.ri_resident_size,
        .private_bytes = usage.info.ri_phys_footprint,
        .anonymous_bytes = usage.info.ri_phys_footprint,
        .cpu_ns = process_ticks_ns(usage.info.ri_user_time + usage.info.ri_system_time)};
    return 0;
}

int gb_process_spawn_closed_from(posix_spawn_file_actions_t *actions, int first, short *flags)
{
    /* Closes all but what the other actions open or duplicate. */
    *flags |= POSIX_SPAWN_CLOEXEC_DEFAULT;
    (void)actions;
    (void)first;
    return 0;
}

uint64_t gb_process_own_memory(void)
{
    struct proc_taskinfo info;

    if (proc_pidinfo(getpid(), PROC_PIDTASKINFO, 0, &info, sizeof(info)) != (int)sizeof(info))
        return 0;
    return info.pti_resident_size;
}

/* The allocator does that by itself: large blocks are mapped separately, and their pages are marked
 * as reusable when they are freed. */
void gb_process_return_blocks(size_t bytes)
{
    (void)bytes;
}

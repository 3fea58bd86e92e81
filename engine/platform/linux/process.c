/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/process.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "platform/linux/proc.h"

int gb_process_open(pid_t pid, struct gb_process *ret_process)
{
    int fd = pidfd_open(pid, 0);

    if (fd < 0)
        return -errno;
    *ret_process = (struct gb_process){.fd = fd, .pid = pid};
    return 0;
}

int gb_process_kill(const struct gb_process *process)
{
    return pidfd_send_signal(process->fd, SIGKILL, NULL, 0) < 0 ? -errno : 0;
}

void gb_process_close(struct gb_process *process)
{
    process->fd = gb_close(process->fd);
}

bool gb_process_started(pid_t pid, uint64_t *ret_start)
{
    struct gb_buf text = {0};
    bool found = proc_read(pid, "stat", &text, NULL) == 0 &&
                 proc_stat_number(gb_buf_bytes(&text), STAT_START, ret_start);

    gb_buf_release(&text);
    return found;
}

int gb_process_usage(pid_t pid, struct gb_process_usage *ret_usage, struct gb_err *err)
{
    struct gb_process_usage usage = {0};
    struct gb_buf text = {0};
    uint64_t user, system;
    int r = proc_read(pid, "smaps_rollup", &text, err);

    if (r == 0) {
        struct gb_bytes rollup = gb_buf_bytes(&text);

        usage.pss_bytes = proc_kilobytes(rollup, "Pss");
        usage.private_bytes =
            proc_kilobytes(rollup, "Private_Clean") + proc_kilobytes(rollup, "Private_Dirty");
        usage.anonymous_bytes = proc_kilobytes(rollup, "Anonymous");
        gb_buf_clear(&text);
        r = proc_read(pid, "stat", &text, err);
    }
    if (r == 0) {
        if (!proc_stat_number(gb_buf_bytes(&text), STAT_USER, &user) ||
            !proc_stat_number(gb_buf_bytes(&text), STAT_SYSTEM, &system))
            r = gb_err_set(err, GB_EINTERNAL, "the host's /proc cannot be read");
        else
            usage.cpu_ns = (user + system) * (GB_NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK));
    }
    gb_buf_release(&text);
    if (r < 0)
        return r;
    *ret_usage = usage;
    return 0;
}

int gb_process_spawn_closed_from(posix_spawn_file_actions_t *actions, int first, short *flags)
{
    (void)flags;
    return posix_spawn_file_actions_addclosefrom_np(actions, first);
}

uint64_t gb_process_own_memory(void)
{
    struct gb_buf text = {0};
    uint64_t bytes =
        proc_read(0, "status", &text, NULL) == 0 ? proc_kilobytes(gb_buf_bytes(&text), "VmRSS") : 0;

    gb_buf_release(&text);
    return bytes;
}

void gb_process_return_blocks(size_t bytes)
{
    /* Such blocks are mapped separately. By default, malloc raises the threshold when the first
     * large block is freed. */
    (void)mallopt(M_MMAP_THRESHOLD, (int)bytes);
}

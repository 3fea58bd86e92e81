#include "cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"

enum { PROCS_MAX = 256 * 1024, KILL_PASSES = 8, TICKS_PER_S = 100 };

static int write_at(int dir_fd, const char *name, const char *value)
{
    _cleanup_(closep) int fd = openat(dir_fd, name, O_WRONLY | O_CLOEXEC);

    if (fd < 0 || write(fd, value, strlen(value)) < 0)
        return -errno;
    return 0;
}

static int write_number(int dir_fd, const char *name, uint64_t value)
{
    char text[24];

    (void)snprintf(text, sizeof(text), "%" PRIu64, value);
    return write_at(dir_fd, name, text);
}

static int open_at(int dir_fd, const char *name)
{
    return openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
}

int cgroup_init(struct cgroup *group, int top_fd, uint64_t memory_max, uint32_t pids_max)
{
    int r = write_at(top_fd, "cgroup.subtree_control", "+memory +pids");

    if (r < 0)
        return r;
    if (mkdirat(top_fd, "user", 0755) < 0 && errno != EEXIST)
        return -errno;
    *group = (struct cgroup){
        openat(top_fd, "user", O_RDONLY | O_DIRECTORY | O_CLOEXEC), -1, -1, -1, -1, memory_max};
    if (group->dir_fd < 0)
        return -errno;
    r = write_number(group->dir_fd, "memory.max", memory_max);
    if (r == 0)
        r = write_number(group->dir_fd, "pids.max", pids_max);
    group->cpu_fd = open_at(group->dir_fd, "cpu.stat");
    group->memory_fd = open_at(group->dir_fd, "memory.current");
    group->peak_fd = open_at(group->dir_fd, "memory.peak");
    group->events_fd = open_at(group->dir_fd, "memory.events");
    return r;
}

int cgroup_set_pids_max(const struct cgroup *group, uint32_t pids_max)
{
    return write_number(group->dir_fd, "pids.max", pids_max);
}

/* The number behind @key in a file of "key number" lines; an empty key is the file's only number.
 */
static uint64_t read_number(int fd, const char *key)
{
    char text[1024];
    const char *at = text;
    ssize_t n = fd < 0 ? -1 : pread(fd, text, sizeof(text) - 1, 0);

    if (n <= 0)
        return 0;
    text[n] = '\0';
    if (*key != '\0')
        at = strstr(text, key);
    return at == NULL ? 0 : strtoull(at + strlen(key), NULL, 10);
}

uint64_t cgroup_cpu_ns(const struct cgroup *group)
{
    return read_number(group->cpu_fd, "usage_usec ") * 1000;
}

uint64_t cgroup_memory(const struct cgroup *group)
{
    return read_number(group->memory_fd, "");
}

uint64_t cgroup_memory_peak(const struct cgroup *group)
{
    return read_number(group->peak_fd, "");
}

uint64_t cgroup_oom_kills(const struct cgroup *group)
{
    return read_number(group->events_fd, "oom_kill ");
}

uint64_t cgroup_limit_events(const struct cgroup *group)
{
    return read_number(group->events_fd, "max ");
}

bool cgroup_drop(const struct cgroup *group, uint64_t bytes)
{
    return write_number(group->dir_fd, "memory.reclaim", bytes) != -EAGAIN;
}

uint32_t cgroup_processes(const struct cgroup *group)
{
    _cleanup_(closep) int fd = open_at(group->dir_fd, "pids.current");

    return (uint32_t)read_number(fd, "");
}

void cgroup_kill_all(const struct cgroup *group)
{
    (void)write_at(group->dir_fd, "cgroup.kill", "1"); /* fails only where the file is missing */
}

/* The pids in the group, as the kernel writes them: for next_pid(). */
static int read_pids(const struct cgroup *group, struct gb_buf *pids)
{
    _cleanup_(closep) int fd = open_at(group->dir_fd, "cgroup.procs");
    uint8_t *to = gb_buf_reserve(pids, PROCS_MAX, PROCS_MAX + 1);
    ssize_t n = to == NULL ? -1 : gb_fd_read_full(fd, to, PROCS_MAX);

    if (n <= 0)
        return -1;
    gb_buf_commit(pids, (size_t)n);
    (void)gb_buf_str(pids);
    return 0;
}

/* Moves *@at behind the next number. 0: there is none. */
static long next_pid(const char **at)
{
    char *end;
    long pid = strtol(*at, &end, 10);

    if (end == *at)
        return 0;
    *at = end;
    return pid;
}

/* Reads a file of a process as text. -1: it is gone. */
static int read_process(int proc_fd, long pid, const char *name, char *text, size_t size)
{
    char path[32];
    _cleanup_(closep) int fd = -1;
    ssize_t n;

    (void)snprintf(path, sizeof(path), "%ld/%s", pid, name);
    fd = openat(proc_fd, path, O_RDONLY | O_CLOEXEC);
    n = fd < 0 ? -1 : read(fd, text, size - 1);
    if (n <= 0)
        return -1;
    text[n] = '\0';
    return 0;
}

/* Pages that it does not share with a file: resident less shared, the second and third field. */
static unsigned long own_pages(int proc_fd, long pid)
{
    char text[128], *at;
    unsigned long resident, shared;

    if (read_process(proc_fd, pid, "statm", text, sizeof(text)) < 0)
        return 0;
    (void)strtoul(text, &at, 10);
    resident = strtoul(at, &at, 10);
    shared = strtoul(at, &at, 10);
    return resident > shared ? resident - shared : 0;
}

bool cgroup_kill_largest(const struct cgroup *group, int proc_fd)
{
    _cleanup_(gb_buf_release) struct gb_buf pids = {0};
    unsigned long most = 0;
    long largest = 0;
    const char *at;

    if (read_pids(group, &pids) < 0)
        return false;
    at = gb_buf_str(&pids);
    for (long pid = next_pid(&at); pid != 0; pid = next_pid(&at)) {
        unsigned long pages = pid > 1 ? own_pages(proc_fd, pid) : 0;

        if (pages > most) {
            most = pages;
            largest = pid;
        }
    }
    return largest > 1 && kill((pid_t)largest, SIGKILL) == 0;
}

/* When a process was started, in ns of CLOCK_BOOTTIME; 0 when it is gone. Field 22 of its stat,
 * counted behind the last parenthesis because the name in them is the process's own choice. */
static uint64_t started_ns(int proc_fd, long pid)
{
    char text[1024];
    const char *at;

    if (read_process(proc_fd, pid, "stat", text, sizeof(text)) < 0)
        return 0;
    at = strrchr(text, ')');
    for (int field = 2; at != NULL && field < 22; field++)
        at = strchr(at + 1, ' ');
    return at == NULL ? 0 : strtoull(at, NULL, 10) * (GB_NS_PER_S / TICKS_PER_S);
}

static bool spared(long pid, const pid_t *spare, unsigned spare_count)
{
    for (unsigned i = 0; i < spare_count; i++) {
        if (spare[i] == pid)
            return true;
    }
    return false;
}

void cgroup_kill_since(const struct cgroup *group, int proc_fd, uint64_t since_ns,
                       const pid_t *spare, unsigned spare_count)
{
    const uint64_t tick = GB_NS_PER_S / TICKS_PER_S;

    since_ns -= since_ns % tick;
    for (int pass = 0; pass < KILL_PASSES; pass++) {
        _cleanup_(gb_buf_release) struct gb_buf pids = {0};
        bool found = false;
        const char *at;

        if (read_pids(group, &pids) < 0)
            return;
        at = gb_buf_str(&pids);
        for (long pid = next_pid(&at); pid != 0; pid = next_pid(&at)) {
            if (pid <= 1 || spared(pid, spare, spare_count) || started_ns(proc_fd, pid) < since_ns)
                continue;
            if (kill((pid_t)pid, SIGKILL) == 0)
                found = true;
        }
        if (!found)
            return;
    }
}

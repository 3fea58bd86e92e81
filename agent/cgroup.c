/* SPDX-License-Identifier: Apache-2.0 */
#include "cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/mem.h"

enum {
    PROCS_MAX = 256 * 1024, /* bytes of cgroup.procs: the maximum number of processes, and more */
    PASSES = 8,
    ROOM_TO_DIE = 8 << 20, /* bytes; from what the limit leaves to the agent and the kernel */
    PID_MAX = 32768,       /* of kernel.pid_max: set in init.c */
};

static const char cell_name[] = "cell", background_name[] = "background",
                  terminal_name[] = "terminal";

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

/* Creates a group; returns its descriptor or -errno. */
static int make_group(int parent_fd, const char *name)
{
    int fd;

    if (mkdirat(parent_fd, name, 0755) < 0 && errno != EEXIST)
        return -errno;
    fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

/* The groups that contain the user's processes. They have no limits of their own. */
static int make_inner_groups(struct cgroup *group)
{
    _cleanup_(closep) int background_fd = make_group(group->dir_fd, background_name);

    (void)write_at(group->dir_fd, "cgroup.subtree_control", "+cpu"); /* see cgroup_init() */
    group->cell_fd = make_group(group->dir_fd, cell_name);
    group->terminal_fd = make_group(group->dir_fd, terminal_name);
    if (background_fd < 0 || group->cell_fd < 0 || group->terminal_fd < 0)
        return MIN(MIN(background_fd, group->cell_fd), group->terminal_fd);
    group->cell_procs_fd = openat(group->cell_fd, "cgroup.procs", O_RDONLY | O_CLOEXEC);
    group->background_procs_fd = openat(background_fd, "cgroup.procs", O_RDWR | O_CLOEXEC);
    return group->cell_procs_fd < 0 || group->background_procs_fd < 0 ? -errno : 0;
}

int cgroup_init(struct cgroup *group, int top_fd, uint64_t memory_max, uint32_t pids_max)
{
    int r = write_at(top_fd, "cgroup.subtree_control", "+memory +pids");

    if (r < 0)
        return r;
    /* CPU time is shared by group: however many processes a bomb has, all of them together get the
     * share of one group, next to the agent and the kernel's threads at the top, and the user's
     * other groups. A kernel without that takes longer to end a bomb. */
    (void)write_at(top_fd, "cgroup.subtree_control", "+cpu");
    *group = (struct cgroup){.dir_fd = make_group(top_fd, "user"), .memory_max = memory_max};
    if (group->dir_fd < 0)
        return group->dir_fd;
    r = make_inner_groups(group);
    if (r == 0)
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

/* The number after @key in a file of "key number" lines; an empty key means the file's only
 * number. */
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

static DIR *open_directory(int dir_fd, const char *path)
{
    int fd = openat(dir_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = fd < 0 ? NULL : fdopendir(fd);

    if (directory == NULL)
        (void)gb_close(fd);
    return directory;
}

/* Gives every thread of @pid, which has got SIGKILL and so runs no code of its own any more,
 * priority over those that are not urgent: among a thousand processes that end with it, it would be
 * scheduled last. */
static void hasten(int proc_fd, pid_t pid)
{
    const struct sched_param first = {.sched_priority = 1};
    const struct dirent *entry;
    char path[32];
    DIR *threads;

    (void)snprintf(path, sizeof(path), "%d/task", (int)pid);
    threads = open_directory(proc_fd, path);
    if (threads == NULL)
        return;
    while ((entry = readdir(threads)) != NULL) {
        pid_t thread = (pid_t)strtol(entry->d_name, NULL, 10);

        if (thread > 1)
            (void)sched_setscheduler(thread, SCHED_RR, &first); /* it may have ended */
    }
    (void)closedir(threads);
}

void cgroup_kill_first(int proc_fd, pid_t pid)
{
    if (pid > 1 && kill(pid, SIGKILL) == 0)
        hasten(proc_fd, pid);
}

void cgroup_kill_all(const struct cgroup *group)
{
    (void)write_at(group->dir_fd, "cgroup.kill", "1"); /* only fails if the file does not exist */
}

/* The pids of a group, in the kernel's format, as a text for next_pid(). */
static const char *read_pids(int procs_fd, struct gb_buf *pids)
{
    uint8_t *to;
    ssize_t n;

    gb_buf_clear(pids);
    /* The kernel returns at most one page per read. */
    do {
        to = gb_buf_reserve(pids, PIPE_BUF, PROCS_MAX);
        n = to == NULL ? -1 : pread(procs_fd, to, PIPE_BUF, (off_t)pids->size);
        if (n > 0)
            gb_buf_commit(pids, (size_t)n);
    } while (n > 0);
    return gb_buf_str(pids);
}

/* Moves *@at past the next number. 0: none. */
static pid_t next_pid(const char **at)
{
    char *end;
    long pid = strtol(*at, &end, 10);

    if (end == *at || pid < 0 || pid > INT_MAX)
        return 0;
    *at = end;
    return (pid_t)pid;
}

/* Reads a process's file as text. -1: the process is gone. */
static int read_process(int proc_fd, pid_t pid, const char *name, char *text, size_t size)
{
    char path[32];
    _cleanup_(closep) int fd = -1;
    ssize_t n;

    (void)snprintf(path, sizeof(path), "%d/%s", (int)pid, name);
    fd = openat(proc_fd, path, O_RDONLY | O_CLOEXEC);
    n = fd < 0 ? -1 : read(fd, text, size - 1);
    if (n <= 0)
        return -1;
    text[n] = '\0';
    return 0;
}

/* Pages not shared with a file: resident minus shared, the second and third field. */
static unsigned long own_pages(int proc_fd, pid_t pid)
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

/* The process of a group with the most private memory, if it has more than *@most pages. */
static void find_largest(int procs_fd, int proc_fd, unsigned long *most, pid_t *largest)
{
    _cleanup_(gb_buf_release) struct gb_buf pids = {0};
    const char *at = read_pids(procs_fd, &pids);

    for (pid_t pid = next_pid(&at); pid != 0; pid = next_pid(&at)) {
        unsigned long pages = pid > 1 ? own_pages(proc_fd, pid) : 0;

        if (pages > *most) {
            *most = pages;
            *largest = pid;
        }
    }
}

static void find_largest_at_terminals(const struct cgroup *group, int proc_fd, unsigned long *most,
                                      pid_t *largest)
{
    const struct dirent *entry;
    DIR *terminals = open_directory(group->terminal_fd, ".");

    while (terminals != NULL && (entry = readdir(terminals)) != NULL) {
        char path[32];
        _cleanup_(closep) int fd = -1;

        if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
            continue;
        (void)snprintf(path, sizeof(path), "%.10s/cgroup.procs", entry->d_name);
        fd = open_at(group->terminal_fd, path);
        if (fd >= 0)
            find_largest(fd, proc_fd, most, largest);
    }
    if (terminals != NULL)
        (void)closedir(terminals);
}

bool cgroup_kill_largest(const struct cgroup *group, int proc_fd)
{
    unsigned long most = 0;
    pid_t largest = 0;

    find_largest(group->cell_procs_fd, proc_fd, &most, &largest);
    find_largest(group->background_procs_fd, proc_fd, &most, &largest);
    find_largest_at_terminals(group, proc_fd, &most, &largest);
    return largest > 1 && kill(largest, SIGKILL) == 0;
}

struct pid_set {
    uint8_t bits[PID_MAX / 8];
};

/* False: already in the set, or no pid. */
static bool pid_set_add(struct pid_set *set, pid_t pid)
{
    const uint8_t bit = (uint8_t)(1U << (pid % 8));

    if (pid <= 0 || pid >= PID_MAX || (set->bits[pid / 8] & bit) != 0)
        return false;
    set->bits[pid / 8] |= bit;
    return true;
}

static bool is_spared(pid_t pid, struct cgroup_spared spared)
{
    for (unsigned i = 0; i < spared.count; i++) {
        if (spared.pids[i] == pid)
            return true;
    }
    return pid <= 1;
}

static bool move_to(int procs_fd, pid_t pid)
{
    char text[16];
    int size = snprintf(text, sizeof(text), "%d", (int)pid);

    return pwrite(procs_fd, text, (size_t)size, 0) == size;
}

void cgroup_set_aside(struct cgroup *group, struct cgroup_spared spared)
{
    _cleanup_(gb_buf_release) struct gb_buf pids = {0};
    bool moved = true;

    /* Processes forked during a pass are found by the next one; once moved, their parent forks no
     * more of them here. */
    for (int pass = 0; moved && pass < PASSES; pass++) {
        const char *at = read_pids(group->cell_procs_fd, &pids);

        moved = false;
        for (pid_t pid = next_pid(&at); pid != 0; pid = next_pid(&at)) {
            if (!is_spared(pid, spared) && move_to(group->background_procs_fd, pid))
                moved = group->background_used = true;
        }
    }
}

/* Kills what is in user/cell and was not there at the previous call; true if there was any. */
static bool kill_new(const struct cgroup *group, struct cgroup_spared spared, struct pid_set *seen)
{
    _cleanup_(gb_buf_release) struct gb_buf pids = {0};
    const char *at = read_pids(group->cell_procs_fd, &pids);
    bool found = false;

    for (pid_t pid = next_pid(&at); pid != 0; pid = next_pid(&at)) {
        if (is_spared(pid, spared) || !pid_set_add(seen, pid))
            continue;
        (void)kill(pid, SIGKILL); /* it may just have ended */
        found = true;
    }
    return found;
}

static bool is_alone(const struct cgroup *group, struct cgroup_spared spared)
{
    _cleanup_(gb_buf_release) struct gb_buf pids = {0};
    const char *at = read_pids(group->cell_procs_fd, &pids);
    pid_t pid;

    do
        pid = next_pid(&at);
    while (pid != 0 && is_spared(pid, spared));
    return pid == 0;
}

/* A dying process may be in the middle of allocating memory below a limit that all of them have hit
 * together, and continues with that, one after the other, before it handles its SIGKILL. With a
 * little more room, each allocation succeeds at once. */
static void relax(struct cgroup *group)
{
    group->relaxed =
        write_number(group->dir_fd, "memory.max", group->memory_max + ROOM_TO_DIE) == 0;
}

void cgroup_tighten(struct cgroup *group)
{
    /* Setting a limit below the current usage would block here until some process has ended. */
    if (group->relaxed && cgroup_memory(group) <= group->memory_max)
        group->relaxed = write_number(group->dir_fd, "memory.max", group->memory_max) < 0;
}

void cgroup_kill_cell(struct cgroup *group, struct cgroup_spared spared)
{
    struct pid_set seen = {0};

    if (is_alone(group, spared))
        return;
    /* From here on no process in the group forks or runs code of its own; SIGKILL also ends frozen
     * ones. Only processes in the middle of a fork may still appear. */
    (void)write_at(group->cell_fd, "cgroup.freeze", "1");
    relax(group);
    for (int pass = 0; pass < PASSES && kill_new(group, spared, &seen); pass++)
        ;
    (void)write_at(group->cell_fd, "cgroup.freeze", "0");
}

void cgroup_signal(const struct cgroup *group, pid_t pgid, int signal)
{
    _cleanup_(gb_buf_release) struct gb_buf pids = {0};
    struct pid_set seen = {0};
    bool found = true;

    /* The kernel's own mechanism misses no concurrent fork; it can be used while all members are in
     * user/cell. */
    if (!group->background_used || *read_pids(group->background_procs_fd, &pids) == '\0') {
        (void)kill(-pgid, signal); /* its leader may be gone already */
        return;
    }
    for (int pass = 0; found && pass < PASSES; pass++) {
        const char *at = read_pids(group->cell_procs_fd, &pids);

        found = false;
        for (pid_t pid = next_pid(&at); pid != 0; pid = next_pid(&at)) {
            if (pid > 1 && getpgid(pid) == pgid && pid_set_add(&seen, pid))
                found = kill(pid, signal) == 0 || found;
        }
    }
}

/* ---- groups of terminals ---- */

/* Of ended terminals with processes that were in the middle of a fork at the time. */
static void remove_empty_terminals(const struct cgroup *group)
{
    const struct dirent *entry;
    DIR *terminals = open_directory(group->terminal_fd, ".");

    while (terminals != NULL && (entry = readdir(terminals)) != NULL)
        if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
            (void)unlinkat(group->terminal_fd, entry->d_name, AT_REMOVEDIR);
    if (terminals != NULL)
        (void)closedir(terminals);
}

int cgroup_begin_terminal(const struct cgroup *group, uint32_t number)
{
    char name[16];

    remove_empty_terminals(group);
    (void)snprintf(name, sizeof(name), "%" PRIu32, number);
    return make_group(group->terminal_fd, name);
}

bool cgroup_terminal_is_empty(int terminal_fd)
{
    _cleanup_(closep) int fd = open_at(terminal_fd, "cgroup.events");

    return read_number(fd, "populated ") == 0;
}

void cgroup_kill_terminal(struct cgroup *group, int terminal_fd)
{
    if (cgroup_terminal_is_empty(terminal_fd))
        return;
    relax(group);
    (void)write_at(terminal_fd, "cgroup.kill", "1");
}

void cgroup_end_terminal(struct cgroup *group, uint32_t number, int terminal_fd)
{
    _cleanup_(gb_buf_release) struct gb_buf pids = {0};
    _cleanup_(closep) int procs_fd = open_at(terminal_fd, "cgroup.procs");
    bool moved = procs_fd >= 0;
    char name[16];

    for (int pass = 0; moved && pass < PASSES; pass++) {
        const char *at = read_pids(procs_fd, &pids);

        moved = false;
        for (pid_t pid = next_pid(&at); pid != 0; pid = next_pid(&at))
            if (move_to(group->background_procs_fd, pid))
                moved = group->background_used = true;
    }
    (void)gb_close(terminal_fd);
    (void)snprintf(name, sizeof(name), "%" PRIu32, number);
    (void)unlinkat(group->terminal_fd, name, AT_REMOVEDIR);
}

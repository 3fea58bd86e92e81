/* SPDX-License-Identifier: Apache-2.0 */
#include "system.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/random.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <time.h>
#include <unistd.h>

#include "agent.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/limits.h"
#include "base/mem.h"
#include "parse/settings.h"

enum { ENTROPY_MAX = 512, NPROC_MOST = 4096, NPROC_LEAST = 16 };

/* If the clock was stopped with its guest for less than this, it is not adjusted. */
#define CLOCK_LATE_NS (5 * GB_NS_PER_MS)

/* Mixes in the host's bytes and credits them, then makes the generator use them immediately:
 * otherwise two clones of one template would draw the same numbers until it is reseeded. */
static int reseed(int random_fd, struct gb_bytes entropy, struct gb_err *err)
{
    struct {
        int bits;
        int size;
        uint8_t bytes[ENTROPY_MAX];
    } pool = {.bits = (int)entropy.size * 8, .size = (int)entropy.size};
    int r = 0;

    if (entropy.size == 0)
        return 0;
    memcpy(pool.bytes, entropy.data, MIN(entropy.size, sizeof(pool.bytes)));
    if (ioctl(random_fd, RNDADDENTROPY, &pool) < 0 || ioctl(random_fd, RNDRESEEDCRNG) < 0)
        r = gb_err_sys(err, errno, "the kernel's random numbers could not be reseeded");
    explicit_bzero(&pool, sizeof(pool));
    return r;
}

/* Rewrites a file in /etc. A concurrent reader may see parts of both texts. */
static int write_state(struct agent *agent, enum state_file file, const char *text,
                       struct gb_err *err)
{
    const int fd = agent->boot.state[file].fd;
    const size_t size = strlen(text), before = agent->boot.state[file].size;

    if (pwrite(fd, text, size, 0) != (ssize_t)size ||
        (before > size && ftruncate(fd, (off_t)size) < 0))
        return gb_err_sys(err, errno, "a file of /etc could not be written");
    agent->boot.state[file].size = size;
    return 0;
}

static int set_names(struct agent *agent, const struct gb_configure *configure, struct gb_err *err)
{
    char text[256];
    int r = 0;

    if (configure->hostname.size > 0) {
        const int size = (int)configure->hostname.size;
        const char *name = (const char *)configure->hostname.data;

        if (sethostname(name, configure->hostname.size) < 0)
            return gb_err_sys(err, errno, "the host name could not be set");
        (void)snprintf(text, sizeof(text), "%.*s\n", size, name);
        r = write_state(agent, STATE_HOSTNAME, text, err);
        (void)snprintf(text, sizeof(text),
                       "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost\n127.0.1.1\t%.*s\n",
                       size, name);
        if (r == 0)
            r = write_state(agent, STATE_HOSTS, text, err);
    }
    if (r == 0 && configure->machine_id.size > 0) {
        (void)snprintf(text, sizeof(text), "%.*s\n", (int)configure->machine_id.size,
                       (const char *)configure->machine_id.data);
        r = write_state(agent, STATE_MACHINE_ID, text, err);
    }
    return r;
}

int system_set_resolver(struct agent *agent, const char *text, struct gb_err *err)
{
    return write_state(agent, STATE_RESOLVER, text, err);
}

static int set_clock(uint64_t wall_ns, struct gb_err *err)
{
    const struct timespec now = {
        .tv_sec = (time_t)(wall_ns / GB_NS_PER_S),
        .tv_nsec = (long)(wall_ns % GB_NS_PER_S),
    };

    if (wall_ns > 0 && clock_settime(CLOCK_REALTIME, &now) < 0)
        return gb_err_sys(err, errno, "the clock could not be set");
    return 0;
}

static void limit_worker(const struct worker *worker, rlim_t nproc)
{
    const struct rlimit limit = {nproc, nproc};

    if (worker->pid > 0)
        (void)prlimit(worker->pid, RLIMIT_NPROC, &limit, NULL); /* it may just have died */
}

/* Kernel threads do not count: the group only contains the user's processes. */
static void set_nproc(struct agent *agent, uint32_t nproc)
{
    nproc = nproc == 0 ? SANDBOX_NPROC : MIN(MAX(nproc, NPROC_LEAST), NPROC_MOST);
    if (nproc == agent->sandbox.nproc)
        return;
    agent->sandbox.nproc = nproc;
    (void)cgroup_set_pids_max(&agent->cgroup, nproc);
    limit_worker(&agent->kernel, nproc);
    limit_worker(&agent->process, nproc);
    limit_worker(&agent->shell, nproc);
}

static bool name_is_among(const struct gb_pairs *env, struct gb_bytes name)
{
    struct gb_bytes key, value;

    for (size_t at = 0; gb_pairs_next(env, &at, &key, &value) > 0;) {
        if (key.size == name.size && memcmp(key.data, name.data, name.size) == 0)
            return true;
    }
    return false;
}

/* Adds new pairs, and replaces existing ones. */
static int merge_env(struct agent *agent, const struct gb_pairs *env, struct gb_err *err)
{
    const struct gb_pairs old = {agent->env_count, gb_buf_bytes(&agent->env)};
    struct gb_buf merged = {0};
    struct gb_bytes key, value;
    uint32_t count = 0;

    for (size_t at = 0; gb_pairs_next(&old, &at, &key, &value) > 0;) {
        if (!name_is_among(env, key))
            gb_pairs_add(&merged, &count, key, value);
    }
    for (size_t at = 0; gb_pairs_next(env, &at, &key, &value) > 0;)
        gb_pairs_add(&merged, &count, key, value);
    if (count > GB_ENV_COUNT_MAX) {
        gb_buf_release(&merged);
        return gb_err_set(err, GB_ETOOLARGE, "the environment has more than %u variables",
                          GB_ENV_COUNT_MAX);
    }
    gb_buf_release(&agent->env);
    agent->env = merged;
    agent->env_count = count;
    return 0;
}

int system_configure(struct agent *agent, const struct gb_configure *configure, struct gb_err *err)
{
    int r = settings_check(configure, err);

    if (r == 0)
        r = reseed(agent->boot.random_fd, configure->entropy, err);
    if (r == 0)
        r = merge_env(agent, &configure->env, err);
    if (r == 0)
        r = set_names(agent, configure, err);
    if (r == 0)
        r = set_clock(configure->wall_ns, err);
    if (r < 0)
        return r;
    set_nproc(agent, configure->nproc);
    agent->settings++;
    return 0;
}

int system_resume(struct agent *agent, const struct gb_resume *resume, struct gb_err *err)
{
    uint64_t now = gb_clock_wall_ns();
    int r = reseed(agent->boot.random_fd, resume->entropy, err);

    if (r == 0 && resume->wall_ns > now && resume->wall_ns - now > CLOCK_LATE_NS)
        r = set_clock(resume->wall_ns, err);
    return r;
}

uint64_t system_uptime_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_BOOTTIME, &now); /* cannot fail for this clock */
    return (uint64_t)now.tv_sec * GB_NS_PER_S + (uint64_t)now.tv_nsec;
}

/* A line "Name: 123 kB" of /proc/meminfo, in bytes; 0 if absent. */
static uint64_t meminfo(const char *text, const char *name)
{
    const char *at = strstr(text, name);

    return at == NULL ? 0 : strtoull(at + strlen(name), NULL, 10) * 1024;
}

static void read_meminfo(int proc_fd, char *text, size_t size)
{
    _cleanup_(closep) int fd = openat(proc_fd, "meminfo", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, text, size - 1);

    text[n < 0 ? 0 : n] = '\0';
}

void system_status(const struct agent *agent, struct gb_status *ret_status)
{
    char text[2048];

    read_meminfo(agent->boot.proc_fd, text, sizeof(text));
    *ret_status = (struct gb_status){
        .memory_total = meminfo(text, "MemTotal:"),
        .memory_available = meminfo(text, "MemAvailable:"),
        .memory_used = cgroup_memory(&agent->cgroup),
        .cpu_ns = cgroup_cpu_ns(&agent->cgroup),
        .processes = cgroup_processes(&agent->cgroup),
        .uptime_ns = system_uptime_ns(),
        .wall_ns = gb_clock_wall_ns(),
    };
}

bool system_has_available(int proc_fd, uint64_t bytes)
{
    struct sysinfo info;
    char text[2048];

    (void)sysinfo(&info); /* cannot fail with a good address */
    if ((uint64_t)info.freeram * info.mem_unit >= bytes)
        return true; /* the usual case: the other way costs more */
    read_meminfo(proc_fd, text, sizeof(text));
    return meminfo(text, "MemAvailable:") >= bytes;
}

int system_check_available(int proc_fd, uint64_t bytes, struct gb_err *err)
{
    if (system_has_available(proc_fd, bytes))
        return 0;
    return gb_err_set(err, GB_ETOOLARGE,
                      "no memory left: the session's files and processes use all of it; remove "
                      "files, end processes, or open the session with more memory");
}

uint64_t system_memory_limit(int proc_fd, uint64_t *ret_left)
{
    /* For the agent, what passes through it, and a page cache that is not the user's: with less,
     * the code of the interpreter is read again and again for half a minute before the limit is
     * met. */
    const uint64_t least = UINT64_C(24) << 20;
    char text[2048];
    uint64_t available, limit;

    read_meminfo(proc_fd, text, sizeof(text));
    available = meminfo(text, "MemAvailable:");
    limit = available <= 2 * least ? available / 2 : available - MAX(least, available / 16);
    *ret_left = available - limit;
    return limit;
}

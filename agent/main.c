/* SPDX-License-Identifier: Apache-2.0 */
/* /init: boots the guest, starts the session's worker, and serves the host until the end. */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "console.h"
#include "device.h"
#include "model/words.h"
#include "probe.h"
#include "system.h"

enum { REAPS_A_ROUND = 256, AGENT_NICE = -20, LARGE_BYTES = 128 << 10 };

static struct worker *worker_of_pid(struct agent *agent, pid_t pid)
{
    struct worker *workers[] = {&agent->kernel, &agent->process, &agent->shell};

    for (size_t i = 0; i < ARRAY_SIZE(workers); i++) {
        if (workers[i]->state != WORKER_DOWN && workers[i]->pid == pid)
            return workers[i];
    }
    return NULL;
}

/* PID 1 inherits every orphan. */
static void reap(struct agent *agent)
{
    for (int i = 0; i < REAPS_A_ROUND; i++) {
        int status;
        pid_t pid = waitpid(-1, &status, WNOHANG | __WALL);
        struct worker *worker;

        if (pid <= 0)
            return;
        worker = worker_of_pid(agent, pid);
        if (worker != NULL)
            worker_reaped(worker, status);
        else if (!netd_reaped(agent, pid))
            terminal_reaped(agent, pid, status);
    }
    /* One SIGCHLD can stand for several: there may be more. */
    deadline_set(&agent->loop, &agent->reap_again, gb_clock_mono_ns());
}

static void reap_again(struct deadline *deadline)
{
    reap(container_of(deadline, struct agent, reap_again));
}

static void children_ready(struct source *source)
{
    struct signalfd_siginfo info;

    if (read(source->fd, &info, sizeof(info)) > 0)
        reap(container_of(source, struct agent, children));
}

static void restart_kernel(struct deadline *deadline)
{
    struct agent *agent = container_of(deadline, struct agent, restart);

    if (agent->kernel.state == WORKER_DOWN)
        worker_start(&agent->kernel);
}

static void oom_ready(struct source *source)
{
    struct agent *agent = container_of(source, struct agent, oom);

    limit_look(&agent->limit, &agent->cgroup, agent->boot.proc_fd);
    agent->oom_kills = limit_kills(&agent->limit, &agent->cgroup);
}

/* Opens the port as soon as it has its name. */
static void try_port(struct agent *agent)
{
    char name[64];
    int fd;

    if (port_is_open(&agent->port) ||
        device_find_port(agent->boot.sys_fd, GB_GUEST_PORT, name, sizeof(name)) < 0)
        return;
    fd = openat(agent->boot.dev_fd, name, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (fd < 0 && errno == ENOENT)
        return; /* its node is about to appear, which is an event */
    if (fd < 0)
        console_fatal("the port %s cannot be opened: %s", name, strerror(errno));
    if (port_open(&agent->port, &agent->loop, fd, &service_port) < 0)
        console_fatal("the port cannot be watched");
    loop_unwatch(&agent->loop, &agent->uevents);
}

static void uevents_ready(struct source *source)
{
    struct agent *agent = container_of(source, struct agent, uevents);

    device_drain_uevents(source->fd);
    try_port(agent);
}

/* The agent is woken by everything and works for microseconds. With SCHED_BATCH the process that
 * woke it continues until it waits itself, so that a cell's output and its end are seen together;
 * the priority makes sure that it is scheduled among a thousand busy processes. Children get
 * default values. */
static void set_priority(void)
{
    const struct sched_param none = {0};

    (void)setpriority(PRIO_PROCESS, 0, AGENT_NICE); /* only affects speed */
    (void)sched_setscheduler(0, SCHED_BATCH | SCHED_RESET_ON_FORK, &none);
}

static void protect(void)
{
    static const char never[] = "-1000";
    _cleanup_(closep) int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

    if (fd < 0 || write(fd, never, sizeof(never) - 1) < 0)
        console_say("oom_score_adj: %s", strerror(errno));
    (void)prctl(PR_SET_DUMPABLE, 0); /* cannot fail with this value */
}

static void essential(int r, const char *what)
{
    if (r < 0)
        console_fatal("%s: %s", what, strerror(-r));
}

static void watch(struct agent *agent, struct source *source, int fd, enum rank rank,
                  uint32_t events, source_fn *ready)
{
    *source = (struct source){.fd = fd, .rank = rank, .ready = ready};
    essential(loop_watch(&agent->loop, source, events), "epoll");
}

static void take_signals(struct agent *agent)
{
    sigset_t all;
    int fd;

    (void)sigfillset(&all);
    (void)sigprocmask(SIG_BLOCK, &all, NULL);
    (void)sigemptyset(&all);
    (void)sigaddset(&all, SIGCHLD);
    fd = signalfd(-1, &all, SFD_NONBLOCK | SFD_CLOEXEC);
    essential(fd < 0 ? -errno : 0, "signalfd");
    watch(agent, &agent->children, fd, RANK_SIGNAL, EPOLLIN, children_ready);
}

static void start(struct agent *agent)
{
    uint64_t left;
    const uint64_t limit = system_memory_limit(agent->boot.proc_fd, &left);

    /* The other half is for what is small and on its way, and for the kernel. */
    agent->reserve = left / 2;
    essential(loop_init(&agent->loop), "epoll");
    agent->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    essential(agent->null_fd < 0 ? -errno : 0, "/dev/null");
    essential(cgroup_init(&agent->cgroup, agent->boot.cgroup_fd, limit, SANDBOX_NPROC), "cgroup");
    essential(sandbox_init(&agent->sandbox), "the seccomp filter");
    stream_init(agent);
    listening_init(agent);
    gb_list_init(&agent->lingering);
    gb_list_init(&agent->terminals);
    deadline_init(&agent->reap_again, reap_again);
    deadline_init(&agent->restart, restart_kernel);
    worker_init(&agent->kernel, agent, agent->boot.language);
    worker_init(&agent->process, agent, agent->boot.language);
    worker_init(&agent->shell, agent, gb_mode_to_string(GB_MODE_SHELL));
    take_signals(agent);
    /* Its start takes longer than everything else: nothing comes before it that can come later. */
    worker_start(&agent->kernel);

    watch(agent, &agent->uevents, agent->boot.uevent_fd, RANK_SIGNAL, EPOLLIN, uevents_ready);
    watch(agent, &agent->oom, agent->cgroup.events_fd, RANK_CHANNEL, EPOLLPRI, oom_ready);
    agent->oom_kills = limit_kills(&agent->limit, &agent->cgroup);
    try_port(agent);
    init_finish(&agent->boot);
    essential(files_init(&agent->files, &agent->loop, agent->boot.proc_fd, agent->reserve),
              "the home");
    protect();
    set_priority();
}

/* Processes left running by the ended cell do not belong to a later one. */
static void set_aside(struct agent *agent)
{
    const pid_t workers[] = {agent->kernel.pid, agent->process.pid, agent->shell.pid};

    cgroup_set_aside(&agent->cgroup, (struct cgroup_spared){workers, ARRAY_SIZE(workers)});
}

/* Work that nobody waits for while no cell runs: cleaning up the last cell, creating the pipes of
 * the next. */
static void tidy(struct agent *agent)
{
    if (agent->ended != NULL) {
        if (agent->cell == NULL)
            set_aside(agent);
        cell_retire(agent->ended);
        agent->ended = NULL;
    }
    if (agent->next == NULL && agent->cell == NULL)
        agent->next = cell_prepare(agent);
    cgroup_tighten(&agent->cgroup);
    /* A failed start is retried when the processes killed for it have gone: until then they count
     * as processes, and use memory. */
    if (deadline_is_set(&agent->restart) && cgroup_processes(&agent->cgroup) == 0) {
        deadline_clear(&agent->restart);
        restart_kernel(&agent->restart);
    }
}

int main(void)
{
    static struct agent agent;

    if (getpid() != 1) {
        (void)fprintf(stderr, "glassbell-agent must be the first process of a guest\n");
        return 2;
    }
    /* What is large goes back to the kernel when it is freed. Left to itself the library would keep
     * it from the second time on. */
    (void)mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
    init_boot(&agent.boot);
    if (agent.boot.language[0] == '\0')
        probe_serve(&agent.boot);
    start(&agent);
    for (;;) {
        essential(loop_round(&agent.loop), "epoll");
        stream_turns(&agent);
        port_flush(&agent.port);
        agent.loop.goes_on = stream_goes_on(&agent);
        tidy(&agent);
    }
}

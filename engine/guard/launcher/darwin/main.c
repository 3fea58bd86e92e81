/* SPDX-License-Identifier: Apache-2.0 */
/* glassbell-launcher on macOS: starts QEMU with a Seatbelt profile, and stays as its parent.
 *
 * Theory of operation. As on Linux (../main.c), with the stages that there are here:
 *
 *   - descriptors: all but those that QEMU is given are closed;
 *   - limits: no core dumps, few descriptors, no large files;
 *   - memory-limit: fails always. macOS accepts RLIMIT_AS and RLIMIT_DATA, and enforces neither;
 *   - death-signal: the kernel kills nobody when a parent dies. The launcher waits for the
 *     lifeline's other end to be closed and kills QEMU. If the launcher itself is killed, the
 * server notices, and kills QEMU by its pid; if both are, the next server does (vm/registry.c);
 *   - seatbelt: applied in the child, right before QEMU is executed, and inherited by it. It takes
 *     the place of the namespaces, the root of its own and the filter of system calls.
 *
 * There is no separate user, which takes root, and as root this program refuses to run: every VM
 * would be able to do what root can. */
#include <errno.h>
#include <fcntl.h>
#include <libproc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/event.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guard/launcher/darwin/profile.h"
#include "guard/launcher/darwin/seatbelt.h"
#include "guard/launcher/limits.h"
#include "guard/launcher/options.h"
#include "guard/launcher/status.h"
#include "guard/stages.h"

enum { FDS_MAX = 4096, WHY_MAX = 200 };

/* ---- the stages ---- */

/* There is no close_range(): the system lists what is open. */
static int apply_descriptors(const struct guard_options *options)
{
    static struct proc_fdinfo open_fds[FDS_MAX];
    const int first = GUARD_FD_FIRST + (int)options->keep;
    const int bytes = proc_pidinfo(getpid(), PROC_PIDLISTFDS, 0, open_fds, (int)sizeof(open_fds));

    if (bytes <= 0) /* there are at least the status and the lifeline */
        return errno != 0 ? -errno : -EIO;
    if (bytes == (int)sizeof(open_fds))
        return -EMFILE; /* there may be more */
    for (int i = 0; i < bytes / (int)sizeof(open_fds[0]); i++) {
        if (open_fds[i].proc_fd >= first)
            (void)close(open_fds[i].proc_fd);
    }
    if (fcntl(GUARD_FD_STATUS, F_SETFD, FD_CLOEXEC) < 0 ||
        fcntl(GUARD_FD_LIFELINE, F_SETFD, FD_CLOEXEC) < 0)
        return -errno;
    return 0;
}

/* The largest file that QEMU writes is device state; RAM files already have their size. */
static int apply_limits(void)
{
    static const struct {
        limits_resource resource;
        rlim_t limit;
    } limits[] = {{RLIMIT_CORE, 0}, {RLIMIT_NOFILE, 128}, {RLIMIT_FSIZE, 256u << 20}};

    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        const int r = limits_lower(limits[i].resource, limits[i].limit);

        if (r < 0)
            return r;
    }
    return 0;
}

/* ---- the child and its parent ---- */

__attribute__((noreturn)) static void run_child(struct guard_options *options)
{
    const char *what = "";
    char why[WHY_MAX] = "";
    char *profile;
    sigset_t none;
    int r;

    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    for (int signum = 1; signum < NSIG; signum++)
        (void)signal(signum, SIG_DFL); /* allowed: only resets what was inherited */
    r = profile_resolve(options, &what);
    if (r < 0)
        status_give_up(what, r);
    if (options->program != NULL && !profile_place_files(options))
        status_give_up("an argument names an unknown file", -EINVAL);
    profile = profile_for_program(options);
    if (profile == NULL)
        status_give_up("memory", -ENOMEM);
    r = seatbelt_enter(profile, why, sizeof(why));
    free(profile);
    status_stage(options, GB_GUARD_SEATBELT, r, why);
    if (options->program == NULL)
        _exit(0);
    if (r < 0) /* nothing else confines it here */
        status_give_up("the profile of Seatbelt", r);
    (void)execve(options->program[0], options->program, (char *[]){(char[]){"LC_ALL=C"}, NULL});
    status_give_up(options->program[0], -errno);
}

/* Exits the way the child did. */
__attribute__((noreturn)) static void end_like(int status)
{
    sigset_t none;

    if (WIFEXITED(status))
        _exit(WEXITSTATUS(status));
    (void)signal(WTERMSIG(status), SIG_DFL); /* allowed: to die of it as QEMU did */
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)kill(getpid(), WTERMSIG(status));
    _exit(EXIT_LAUNCHER);
}

static const int ending[] = {SIGTERM, SIGINT, SIGHUP};
enum { ENDINGS = sizeof(ending) / sizeof(ending[0]) };

/* The lifeline, and the signals that end us; before there is a child. */
static int watch_new(void)
{
    struct kevent changes[1 + ENDINGS];
    const int queue = kqueue();

    if (queue < 0 || fcntl(queue, F_SETFD, FD_CLOEXEC) < 0)
        status_give_up("descriptors", -errno);
    EV_SET(&changes[0], GUARD_FD_LIFELINE, EVFILT_READ, EV_ADD, 0, 0, NULL);
    for (int i = 0; i < ENDINGS; i++) {
        /* Ignored signals are still told. */
        (void)signal(ending[i], SIG_IGN); /* allowed: told by the kqueue */
        EV_SET(&changes[1 + i], (uintptr_t)ending[i], EVFILT_SIGNAL, EV_ADD, 0, 0, NULL);
    }
    if (kevent(queue, changes, 1 + ENDINGS, NULL, 0, NULL) < 0)
        status_give_up("events", -errno);
    return queue;
}

__attribute__((noreturn)) static void watch_child(int queue, pid_t child)
{
    struct kevent event;
    int status, n;

    EV_SET(&event, (uintptr_t)child, EVFILT_PROC, EV_ADD, NOTE_EXIT, 0, NULL);
    n = kevent(queue, &event, 1, &event, 1, NULL);
    while (n < 0 && errno == EINTR)
        n = kevent(queue, NULL, 0, &event, 1, NULL);
    /* If the child has ended before, the change comes back as an error, and there is a child to
     * reap. Nobody writes to the lifeline: it can only end, as the signals end us. */
    if (n < 1 || event.filter != EVFILT_PROC)
        (void)kill(child, SIGKILL);
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            _exit(EXIT_LAUNCHER);
    end_like(status);
}

int main(int argc, char **argv)
{
    struct guard_options options;
    const char *error = NULL;
    pid_t child;
    int queue;

    if (!options_read(&options, argc, argv, &error)) {
        status_tell("error %s", error);
        return EXIT_LAUNCHER;
    }
    if (options.kvm) {
        status_tell("error KVM is an accelerator of Linux: on macOS it is hvf");
        return EXIT_LAUNCHER;
    }
    if (geteuid() == 0) {
        status_tell("error on macOS Glassbell runs as an ordinary user, not as root");
        return EXIT_LAUNCHER;
    }
    status_stage(&options, GB_GUARD_DESCRIPTORS, apply_descriptors(&options), "");
    status_stage(&options, GB_GUARD_LIMITS, apply_limits(), "");
    queue = watch_new();
    status_stage(&options, GB_GUARD_DEATH_SIGNAL, 0, "");
    status_stage(&options, GB_GUARD_MEMORY_LIMIT, -ENOTSUP,
                 "macOS limits the memory of no process");
    child = fork();
    if (child < 0)
        status_give_up("fork", -errno);
    if (child == 0)
        run_child(&options); /* a kqueue is not inherited */
    /* Only the child keeps the rest: their peers must see end of file when it exits. */
    for (unsigned i = 0; i < options.keep; i++)
        (void)close(GUARD_FD_FIRST + (int)i);
    (void)close(STDERR_FILENO);
    status_tell("pid %d", (int)child);
    watch_child(queue, child);
}

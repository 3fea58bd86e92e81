/* SPDX-License-Identifier: Apache-2.0 */
/* glassbell-launcher: confines itself in stages, starts QEMU inside, and stays as its parent.
 *
 * Theory of operation. The server starts this program with exactly the descriptors of options.h.
 * The stages of guard/stages.h are applied in the order of that list, and each is reported on the
 * status pipe. The reasons for the order:
 *
 *   - files to be handed out are opened right after descriptors are closed, while this process is
 *     still allowed to;
 *   - the user namespace is for servers that are not root, a separate user per VM for root;
 *   - the pid namespace only affects children;
 *   - the capability bounding set is emptied while root still may, before the user changes;
 *   - SIGKILL at the server's death is requested at the very beginning, and again as a stage, since
 *     changing the user clears it;
 *   - seccomp is applied in the child, right before QEMU is executed.
 *
 * A stage that fails is reported and skipped; with --require it is fatal. The parent has no
 * privileges left either. It
 *   - answers the child's requests for files (opener.h),
 *   - gives QEMU a descriptor by which its memory can be followed (tracking.h),
 *   - kills the child on SIGTERM, SIGINT, SIGHUP and when the lifeline's other end is closed,
 *   - reaps the child and then exits the same way (same exit code, same signal, SIGABRT if it
 *     aborted): the end of the launcher is the end of QEMU.
 *
 * QEMU in turn uses the launcher as a lifeline: it requests SIGKILL at the launcher's death and
 * then checks that the launcher is still alive.
 *
 * Deliberately missing: cgroups, which are the business of whoever runs the server.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guard/launcher/filter.h"
#include "guard/launcher/opener.h"
#include "guard/launcher/options.h"
#include "guard/launcher/root.h"
#include "guard/launcher/stages.h"
#include "guard/launcher/status.h"
#include "guard/launcher/tracking.h"
#include "guard/stages.h"

/* ---- the stages ---- */

/* State shared by the stages. */
struct confinement {
    struct guard_options *options;
    bool root;
    bool inside;      /* in the new root: arguments have to name files by their paths in it */
    int bounding;     /* result of emptying the bounding set */
    const char *what; /* details of the failure; "" */
};

static int apply_descriptors(struct confinement *c)
{
    const char *path = "";
    int r = stage_descriptors(c->options), opened = opener_open(c->options, &path);

    if (opened < 0)
        status_give_up(path, opened);
    return r;
}

static int apply_limits(struct confinement *c)
{
    return stage_limits(c->root && c->options->uid != 0, c->options->memory_mb);
}

static int apply_user_namespace(struct confinement *c)
{
    (void)c;
    return stage_user_namespace();
}

static int apply_mount_namespace(struct confinement *c)
{
    const struct guard_options *options = c->options;
    int r = unshare(CLONE_NEWNS) < 0 ? -errno : 0;

    if (r < 0)
        return r;
    r = root_enter(options, &c->what);
    /* Half a new root is worse than none: neither the old paths nor the new ones are valid. */
    if (r < 0 && chdir("/") == 0 && options->program != NULL &&
        access(options->program[0], X_OK) < 0)
        status_give_up(c->what, r);
    c->inside = r == 0;
    return r;
}

static int apply_network_namespace(struct confinement *c)
{
    (void)c;
    return unshare(CLONE_NEWNET) < 0 ? -errno : 0;
}

static int apply_ipc_namespace(struct confinement *c)
{
    (void)c;
    return unshare(CLONE_NEWIPC) < 0 ? -errno : 0;
}

static int apply_uts_namespace(struct confinement *c)
{
    (void)c;
    return unshare(CLONE_NEWUTS) < 0 ? -errno : stage_hostname();
}

static int apply_pid_namespace(struct confinement *c)
{
    (void)c;
    return unshare(CLONE_NEWPID) < 0 ? -errno : 0;
}

static int apply_user(struct confinement *c)
{
    c->bounding = stage_bounding_set();
    return stage_user(c->options->uid);
}

static int apply_capabilities(struct confinement *c)
{
    int r;

    if (!c->root)
        c->bounding = stage_bounding_set();
    r = stage_capabilities();
    return c->bounding < 0 ? c->bounding : r;
}

static int apply_no_new_privs(struct confinement *c)
{
    (void)c;
    return stage_no_new_privs();
}

static int apply_death_signal(struct confinement *c)
{
    int r = stage_death_signal(GUARD_FD_LIFELINE);

    (void)c;
    if (r == -EOWNERDEAD)
        _exit(EXIT_LAUNCHER);
    return r;
}

enum { FOR_ROOT = 1, FOR_OTHERS = 2, FOR_ALL = FOR_ROOT | FOR_OTHERS };

#define STAGE(stage) [__builtin_ctz(stage)]
static const struct {
    int (*apply)(struct confinement *c); /* 0 or -errno; NULL: done in the child */
    unsigned users;
} steps[GB_GUARD_STAGE_COUNT] = {
    STAGE(GB_GUARD_DESCRIPTORS) = {apply_descriptors, FOR_ALL},
    STAGE(GB_GUARD_LIMITS) = {apply_limits, FOR_ALL},
    STAGE(GB_GUARD_USER_NAMESPACE) = {apply_user_namespace, FOR_OTHERS},
    STAGE(GB_GUARD_MOUNT_NAMESPACE) = {apply_mount_namespace, FOR_ALL},
    STAGE(GB_GUARD_NETWORK_NAMESPACE) = {apply_network_namespace, FOR_ALL},
    STAGE(GB_GUARD_IPC_NAMESPACE) = {apply_ipc_namespace, FOR_ALL},
    STAGE(GB_GUARD_UTS_NAMESPACE) = {apply_uts_namespace, FOR_ALL},
    STAGE(GB_GUARD_PID_NAMESPACE) = {apply_pid_namespace, FOR_ALL},
    STAGE(GB_GUARD_USER) = {apply_user, FOR_ROOT},
    STAGE(GB_GUARD_CAPABILITIES) = {apply_capabilities, FOR_ALL},
    STAGE(GB_GUARD_NO_NEW_PRIVS) = {apply_no_new_privs, FOR_ALL},
    STAGE(GB_GUARD_DEATH_SIGNAL) = {apply_death_signal, FOR_ALL},
    STAGE(GB_GUARD_SECCOMP) = {NULL, FOR_ALL},
};

static void confine(struct guard_options *options, bool *ret_inside)
{
    struct confinement c = {.options = options, .root = geteuid() == 0};

    (void)apply_death_signal(&c);
    for (int i = 0; i < GB_GUARD_STAGE_COUNT; i++) {
        if (steps[i].apply == NULL || (steps[i].users & (c.root ? FOR_ROOT : FOR_OTHERS)) == 0)
            continue;
        c.what = "";
        status_stage(options, 1 << i, steps[i].apply(&c), c.what);
    }
    *ret_inside = c.inside;
}

/* Its path in the new root. */
static void put_inside(FILE *out, const struct guard_file *file, bool whole)
{
    char path[64];

    (void)whole;
    options_inside_path(file, path, sizeof(path));
    (void)fputs(path, out);
}

static void put_outside(FILE *out, const struct guard_file *file, bool whole)
{
    (void)whole;
    (void)fputs(file->path, out);
}

/* ---- the child and its parent ---- */

__attribute__((noreturn)) static void run_child(struct guard_options *options, bool inside,
                                                int socket, int lifeline)
{
    int listener = -1;
    sigset_t none;
    int r;

    r = stage_death_signal(lifeline);
    if (r < 0)
        status_give_up("the launcher died", r);
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    for (int signum = 1; signum < NSIG; signum++)
        (void)signal(signum, SIG_DFL); /* allowed: only resets what was inherited */
    if (options->program != NULL)
        tracking_expect();
    r = gb_filter_load(options->kvm, &listener);
    if (r == 0)
        r = opener_send_listener(socket, listener);
    status_stage(options, GB_GUARD_SECCOMP, r, "");
    if (options->program == NULL)
        _exit(0);
    if (!options_place_files(options, inside ? put_inside : put_outside))
        status_give_up("an argument names an unknown file", -EINVAL);
    (void)execve(options->program[0], options->program, (char *[]){(char[]){"LC_ALL=C"}, NULL});
    status_give_up(options->program[0], -errno);
}

__attribute__((noreturn)) static void end_by(int signum)
{
    sigset_t none;

    (void)signal(signum, SIG_DFL); /* allowed: to die of it as QEMU did */
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)kill(getpid(), signum);
    _exit(EXIT_LAUNCHER);
}

/* Exits the way the child did; @aborted: we killed it because it had called abort(). */
__attribute__((noreturn)) static void end_like(int status, bool aborted)
{
    if (WIFEXITED(status))
        _exit(WEXITSTATUS(status));
    end_by(aborted && WTERMSIG(status) == SIGKILL ? SIGABRT : WTERMSIG(status));
}

__attribute__((noreturn)) static void watch_child(const struct guard_options *options, pid_t child,
                                                  int signals, int socket)
{
    struct pollfd polls[] = {
        {.fd = signals, .events = POLLIN},
        {.fd = GUARD_FD_LIFELINE, .events = 0},
        {.fd = socket, .events = POLLIN},
        {.fd = -1, .events = POLLIN},
    };
    bool aborted = false;

    for (;;) {
        struct signalfd_siginfo info;
        int status;

        if (poll(polls, sizeof(polls) / sizeof(polls[0]), -1) < 0 && errno != EINTR)
            (void)kill(child, SIGKILL);
        if ((polls[1].revents & (POLLHUP | POLLERR)) != 0) {
            (void)kill(child, SIGKILL);
            polls[1].fd = -1;
        }
        if (polls[2].revents != 0) {
            /* The listener arrives once, or never if the child has no filter or has ended. */
            polls[3].fd = opener_receive_listener(socket);
            polls[2].fd = -1;
        }
        if ((polls[3].revents & POLLIN) != 0) {
            if (opener_answer(options, polls[3].fd)) {
                aborted = true;
                (void)kill(child, SIGKILL);
            }
        } else if (polls[3].revents != 0) {
            polls[3].fd = -1;
        }
        if ((polls[0].revents & POLLIN) == 0 ||
            read(signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
            continue;
        if (info.ssi_signo != SIGCHLD)
            (void)kill(child, SIGKILL);
        else if (waitpid(child, &status, WNOHANG) == child && !tracking_give(child, status))
            end_like(status, aborted);
    }
}

int main(int argc, char **argv)
{
    struct guard_options options;
    const char *error = NULL;
    bool inside = false;
    int lifeline[2], sockets[2], signals;
    sigset_t handled;
    pid_t child;

    if (!options_read(&options, argc, argv, &error)) {
        status_tell("error %s", error);
        return EXIT_LAUNCHER;
    }
    if (options.hvf) {
        status_tell("error HVF is an accelerator of macOS: on Linux it is kvm");
        return EXIT_LAUNCHER;
    }
    confine(&options, &inside);

    (void)sigemptyset(&handled);
    (void)sigaddset(&handled, SIGCHLD);
    (void)sigaddset(&handled, SIGTERM);
    (void)sigaddset(&handled, SIGINT);
    (void)sigaddset(&handled, SIGHUP);
    if (sigprocmask(SIG_BLOCK, &handled, NULL) < 0)
        status_give_up("signals", -errno);
    signals = signalfd(-1, &handled, SFD_CLOEXEC);
    if (signals < 0 || pipe2(lifeline, O_CLOEXEC) < 0 ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) < 0)
        status_give_up("descriptors", -errno);
    child = fork();
    if (child < 0)
        status_give_up("fork", -errno);
    if (child == 0) {
        (void)close(lifeline[1]);
        (void)close(sockets[0]);
        run_child(&options, inside, sockets[1], lifeline[0]);
    }
    (void)close(lifeline[0]);
    (void)close(sockets[1]);
    /* Only the child keeps the rest: their peers must see end of file when it exits. */
    for (unsigned i = 0; i < options.keep; i++)
        (void)close(GUARD_FD_FIRST + (int)i);
    (void)close(STDERR_FILENO);
    status_tell("pid %d", (int)child);
    watch_child(&options, child, signals, sockets[0]);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "netd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/agent.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "agent/netd/route.h"
#include "agent/netd/serve.h"
#include "agent/system.h"

/* If the host's server does not answer it is busy: a single retry is enough. */
#define RESOLVER_OPTIONS "options timeout:5 attempts:2\n"

enum { PORT_TRIES = 20 }; /* in a guest that has just booted */

static int netd_set_resolver(struct agent *agent, bool on, struct gb_err *err)
{
    const struct in_addr address = {.s_addr = htonl(ROUTE_RESOLVER)};
    char text[96] = "", dotted[INET_ADDRSTRLEN];

    if (on)
        (void)snprintf(text, sizeof(text), "nameserver %s\n" RESOLVER_OPTIONS,
                       inet_ntop(AF_INET, &address, dotted, sizeof(dotted)));
    return system_set_resolver(agent, text, err);
}

/* ---- the end of a network ---- */

/* At once. */
static void netd_cut(struct agent *agent)
{
    route_down();
    (void)netd_set_resolver(agent, false, NULL); /* what is written there leads nowhere now */
}

static void netd_answer(struct agent *agent)
{
    struct netd *netd = &agent->netd;

    deadline_clear(&netd->late);
    if (netd->leaving)
        port_send_ok(&agent->port, netd->leaving_id);
    netd->leaving = false;
}

static void netd_leave(struct agent *agent)
{
    if (agent->netd.leaving)
        route_down();
    netd_answer(agent);
}

static void netd_is_late(struct deadline *deadline)
{
    struct netd *netd = container_of(deadline, struct netd, late);

    netd_leave(container_of(netd, struct agent, netd));
}

/* No word will be exchanged any more. */
static void netd_hang_up(struct agent *agent)
{
    struct netd *netd = &agent->netd;

    if (netd->control.fd < 0)
        return;
    loop_unwatch(&agent->loop, &netd->control);
    (void)gb_close(netd->control.fd);
    netd->control.fd = -1;
    netd->unanswered = 0;
    netd_leave(agent);
}

static void netd_control_ready(struct source *source)
{
    struct netd *netd = container_of(source, struct netd, control);
    struct agent *agent = container_of(netd, struct agent, netd);
    uint8_t word;
    ssize_t n = recv(source->fd, &word, 1, MSG_DONTWAIT);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n != 1 || word != SERVE_OFF || netd->unanswered == 0)
        netd_hang_up(agent); /* it has ended, or is not what it was */
    else if (--netd->unanswered == 0)
        netd_leave(agent);
}

static bool netd_send(struct netd *netd, uint8_t word)
{
    return netd->control.fd >= 0 &&
           send(netd->control.fd, &word, 1, MSG_DONTWAIT | MSG_NOSIGNAL) == 1;
}

/* ---- its beginning ---- */

/* The agent can do nothing useful while it waits for netd, since no cell should start before.
 * False: it has said something else, or has ended. */
static bool netd_hears(int fd, uint8_t expected)
{
    uint8_t word = 0;
    ssize_t n;

    while ((n = recv(fd, &word, 1, 0)) < 0 && errno == EINTR)
        ;
    return n == 1 && word == expected;
}

static int netd_fail(const char *what, struct gb_err *err)
{
    return gb_err_sys(err, errno, "the guest's kernel does not support the network: %s", what);
}

/* Returns our end of the socket between us, or a code. */
static int netd_fork(struct agent *agent, int tries, struct gb_err *err)
{
    struct capture capture;
    const char *failed = capture_prepare(&capture, agent->boot.proc_fd);
    int pair[2], r = failed != NULL ? netd_fail(failed, err) : 0;
    pid_t pid = -1;

    if (r == 0 && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        r = gb_err_sys(err, errno, "no sockets for the network");
    if (r < 0) {
        capture_close(&capture);
        return r;
    }
    pid = fork();
    if (pid == 0)
        serve_network(&agent->boot, tries, pair[1], capture.link);
    (void)gb_close(pair[1]);
    capture.link = gb_close(capture.link);
    if (pid < 0) {
        r = gb_err_sys(err, errno, "cannot start the guest's network");
        (void)gb_close(pair[0]);
        capture_close(&capture);
        return r;
    }
    agent->netd =
        (struct netd){.pid = pid, .parked_fd = pair[0], .capture = capture, .control.fd = -1};
    deadline_init(&agent->netd.late, netd_is_late);
    agent->netd.parked = netd_hears(pair[0], SERVE_PARKED);
    return 0;
}

static int netd_send_sockets(const struct netd *netd, const uint8_t *mark)
{
    const struct capture *capture = &netd->capture;
    const int fds[SERVE_SOCKETS] = {capture->listener, capture->resolver, capture->syns,
                                    capture->out};
    struct serve_start start = {.word = SERVE_START};
    struct iovec part = {&start, sizeof(start)};
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(fds))];
    } control = {0};
    const struct msghdr message = {.msg_iov = &part,
                                   .msg_iovlen = 1,
                                   .msg_control = &control,
                                   .msg_controllen = sizeof(control)};

    memcpy(start.mark, mark, GB_SYNC_BYTES);
    control.head.cmsg_level = SOL_SOCKET;
    control.head.cmsg_type = SCM_RIGHTS;
    control.head.cmsg_len = CMSG_LEN(sizeof(fds));
    memcpy(CMSG_DATA(&control.head), fds, sizeof(fds));
    return sendmsg(netd->parked_fd, &message, MSG_NOSIGNAL) == (ssize_t)sizeof(start) ? 0 : -1;
}

/* It waits for its conversation: here is one. */
static int netd_begin(struct agent *agent, const uint8_t *mark, struct gb_err *err)
{
    struct netd *netd = &agent->netd;
    const char *failed = capture_open(&netd->capture);
    const int fd = netd->parked_fd;
    int r = failed != NULL ? netd_fail(failed, err) : 0;

    if (r == 0 && (netd_send_sockets(netd, mark) < 0 || !netd_hears(fd, SERVE_READY)))
        r = gb_err_set(err, GB_EUNSUPPORTED,
                       "the guest's network does not start; its console says why");
    capture_close(&netd->capture); /* it has its own */
    netd->parked_fd = -1;
    netd->parked = false;
    if (r == 0) {
        netd->control = (struct source){.fd = fd, .rank = RANK_SIGNAL, .ready = netd_control_ready};
        r = loop_watch(&agent->loop, &netd->control, EPOLLIN);
        r = r < 0 ? gb_err_sys(err, -r, "cannot watch the guest's network") : 0;
    }
    if (r < 0) {
        netd->control.fd = -1;
        (void)gb_close(fd); /* with which it ends */
    } else {
        memcpy(netd->mark, mark, GB_SYNC_BYTES);
    }
    return r;
}

/* The route comes last, when its destination exists. */
static int netd_show(struct agent *agent, struct gb_err *err)
{
    int r = 0, failed;

    netd_answer(agent); /* one that was to turn it off has been overtaken */
    if (!netd_send(&agent->netd, SERVE_ON))
        r = gb_err_set(err, GB_EUNSUPPORTED, "the guest's network does not answer");
    if (r == 0)
        r = netd_set_resolver(agent, true, err);
    if (r < 0)
        return r;
    failed = route_up();
    return failed < 0 ? gb_err_sys(err, -failed, "the guest's network has no route") : 0;
}

/* Nobody has it: nothing of it is to be seen. */
static void netd_forget_parked(struct netd *netd)
{
    netd->parked_fd = gb_close(netd->parked_fd);
    capture_close(&netd->capture);
    netd->parked = false;
}

/* One of another conversation, or without one. Its connections are broken while there still is a
 * route for what says so. */
static void netd_end(struct agent *agent)
{
    struct netd *netd = &agent->netd;

    if (netd->pid == 0)
        return;
    (void)kill(netd->pid, SIGKILL);
    while (waitpid(netd->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    netd_hang_up(agent);
    if (netd->parked_fd >= 0)
        netd_forget_parked(netd);
    else
        netd_cut(agent);
    netd->pid = 0;
}

void netd_park(struct agent *agent)
{
    struct gb_err err;

    if (agent->netd.pid == 0 && netd_fork(agent, 1, &err) == 0 && !agent->netd.parked)
        netd_end(agent);
}

int netd_start(struct agent *agent, struct gb_bytes mark, struct gb_err *err)
{
    struct netd *netd = &agent->netd;
    int r;

    if (mark.size != GB_SYNC_BYTES)
        return gb_err_set(err, GB_EINVALID, "a mark has %d bytes", GB_SYNC_BYTES);
    if (netd->parked && netd_begin(agent, mark.data, err) == 0)
        return 0;
    if (netd->pid != 0 && !netd->parked && netd->control.fd >= 0 &&
        memcmp(netd->mark, mark.data, GB_SYNC_BYTES) == 0)
        return 0;
    netd_end(agent);
    r = netd_fork(agent, PORT_TRIES, err);
    if (r == 0 && !netd->parked)
        r = gb_err_set(err, GB_EUNSUPPORTED,
                       "the guest's network does not start; its console says why");
    if (r == 0)
        return netd_begin(agent, mark.data, err);
    netd_end(agent);
    return r;
}

int netd_on(struct agent *agent, struct gb_bytes mark, struct gb_err *err)
{
    int r = netd_start(agent, mark, err);

    if (r == 0)
        r = netd_show(agent, err);
    if (r < 0 && agent->netd.pid != 0)
        netd_cut(agent);
    return r;
}

int netd_rehearse(struct agent *agent, struct gb_err *err)
{
    static const uint8_t nobodys[GB_SYNC_BYTES];
    struct netd *netd = &agent->netd;
    int r;

    if (netd->pid != 0 && !netd->parked)
        return gb_err_set(err, GB_EBUSY, "the guest has a network");
    r = netd_on(agent, (struct gb_bytes){nobodys, sizeof(nobodys)}, err);
    netd_end(agent);
    netd_park(agent);
    return r;
}

bool netd_off(struct agent *agent, uint32_t id)
{
    struct netd *netd = &agent->netd;

    if (netd->pid == 0 || netd->parked)
        return false;
    netd_answer(agent); /* an earlier one */
    if (!netd_send(netd, SERVE_OFF)) {
        netd_cut(agent);
        return false;
    }
    (void)netd_set_resolver(agent, false, NULL);
    netd->unanswered++;
    netd->leaving = true;
    netd->leaving_id = id;
    deadline_set(&agent->loop, &netd->late, gb_clock_mono_ns() + GB_NS_PER_S);
    return true;
}

bool netd_reaped(struct agent *agent, pid_t pid)
{
    struct netd *netd = &agent->netd;

    if (pid != netd->pid)
        return false;
    netd_hang_up(agent);
    netd->pid = 0;
    if (netd->parked) { /* another one is started when it is needed */
        netd_forget_parked(netd);
        return true;
    }
    netd_cut(agent);
    port_send(&agent->port, (struct gb_frame){.type = GB_GUEST_NETWORK_LOST}, NULL, NULL);
    return true;
}

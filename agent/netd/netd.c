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

/* Waits for netd to set up its network: 32 ms in a cold guest under emulation, and the agent could
 * do nothing useful meanwhile, since no cell should start before. */
static int netd_await(struct agent *agent, int fd, struct gb_err *err)
{
    uint8_t word = 0;
    ssize_t n;
    int r;

    while ((n = recv(fd, &word, 1, 0)) < 0 && errno == EINTR)
        ;
    if (n != 1 || word != SERVE_READY)
        return gb_err_set(err, GB_EUNSUPPORTED,
                          "the guest's kernel does not support the network; its console says why");
    agent->netd.control =
        (struct source){.fd = fd, .rank = RANK_SIGNAL, .ready = netd_control_ready};
    r = loop_watch(&agent->loop, &agent->netd.control, EPOLLIN);
    if (r < 0)
        agent->netd.control.fd = -1;
    return r < 0 ? gb_err_sys(err, -r, "cannot watch the guest's network") : 0;
}

/* With a NULL @mark to be parked. Returns our end of the socket between us, or a code. */
static int netd_fork(struct agent *agent, const uint8_t *mark, struct gb_err *err)
{
    int pair[2];
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return gb_err_sys(err, errno, "no sockets for the network");
    pid = fork();
    if (pid == 0)
        serve_network(&agent->boot, mark, pair[1]);
    (void)gb_close(pair[1]);
    if (pid < 0) {
        (void)gb_close(pair[0]);
        return gb_err_sys(err, errno, "cannot start the guest's network");
    }
    agent->netd = (struct netd){.pid = pid, .parked_fd = -1, .control.fd = -1};
    deadline_init(&agent->netd.late, netd_is_late);
    return pair[0];
}

/* It has this mark now. @fd, taken: where it answers. */
static int netd_begin(struct agent *agent, const uint8_t *mark, int fd, struct gb_err *err)
{
    int r;

    memcpy(agent->netd.mark, mark, GB_SYNC_BYTES);
    r = netd_await(agent, fd, err);
    if (r < 0)
        (void)gb_close(fd); /* with which it ends */
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
    if (netd->parked)
        netd->parked_fd = gb_close(netd->parked_fd);
    else
        netd_cut(agent);
    netd->parked = false;
    netd->pid = 0;
}

void netd_park(struct agent *agent)
{
    struct netd *netd = &agent->netd;
    uint8_t word = 0;
    ssize_t n;
    int fd = netd->pid != 0 ? -1 : netd_fork(agent, NULL, NULL);

    if (fd < 0)
        return;
    netd->parked = true;
    netd->parked_fd = fd;
    while ((n = recv(fd, &word, 1, 0)) < 0 && errno == EINTR)
        ;
    if (n != 1 || word != SERVE_PARKED)
        netd_end(agent);
}

static bool netd_unpark(struct netd *netd, const uint8_t *mark)
{
    uint8_t start[1 + GB_SYNC_BYTES] = {SERVE_START};

    memcpy(start + 1, mark, GB_SYNC_BYTES);
    netd->parked =
        send(netd->parked_fd, start, sizeof(start), MSG_NOSIGNAL) != (ssize_t)sizeof(start);
    return !netd->parked;
}

int netd_start(struct agent *agent, struct gb_bytes mark, struct gb_err *err)
{
    struct netd *netd = &agent->netd;
    int fd;

    if (mark.size != GB_SYNC_BYTES)
        return gb_err_set(err, GB_EINVALID, "a mark has %d bytes", GB_SYNC_BYTES);
    if (netd->parked && netd_unpark(netd, mark.data))
        return netd_begin(agent, mark.data, TAKE_FD(netd->parked_fd), err);
    if (netd->pid != 0 && !netd->parked && memcmp(netd->mark, mark.data, GB_SYNC_BYTES) == 0)
        return 0;
    netd_end(agent);
    fd = netd_fork(agent, mark.data, err);
    return fd < 0 ? fd : netd_begin(agent, mark.data, fd, err);
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
    if (netd->parked) { /* nobody has it yet: another one is started when it is needed */
        netd->parked_fd = gb_close(netd->parked_fd);
        netd->parked = false;
        return true;
    }
    netd_cut(agent);
    port_send(&agent->port, (struct gb_frame){.type = GB_GUEST_NETWORK_LOST}, NULL, NULL);
    return true;
}

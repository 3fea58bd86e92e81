/* SPDX-License-Identifier: Apache-2.0 */
#include "netd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/agent.h"
#include "base/fd.h"
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

/* Waits for netd to set up its network: 32 ms in a cold guest under emulation, and the agent could
 * do nothing useful meanwhile, since no cell should start before. */
static int netd_fork(struct agent *agent, struct gb_err *err)
{
    int ready[2];
    char byte;
    pid_t pid;
    ssize_t n;

    if (pipe2(ready, O_CLOEXEC) < 0)
        return gb_err_sys(err, errno, "no pipe for the network");
    pid = fork();
    if (pid == 0)
        serve_network(&agent->boot, ready[1]);
    (void)gb_close(ready[1]);
    if (pid < 0) {
        (void)gb_close(ready[0]);
        return gb_err_sys(err, errno, "cannot start the guest's network");
    }
    agent->netd.pid = pid;
    while ((n = read(ready[0], &byte, 1)) < 0 && errno == EINTR)
        ;
    (void)gb_close(ready[0]);
    return n == 1 ? 0
                  : gb_err_set(
                        err, GB_EUNSUPPORTED,
                        "the guest's kernel does not support the network; its console says why");
}

/* The route comes last, when its destination exists. */
static int netd_show(struct agent *agent, struct gb_err *err)
{
    int r = netd_set_resolver(agent, true, err), failed;

    if (r < 0)
        return r;
    failed = route_up();
    return failed < 0 ? gb_err_sys(err, -failed, "the guest's network has no route") : 0;
}

int netd_start(struct agent *agent, struct gb_err *err)
{
    return agent->netd.pid != 0 ? 0 : netd_fork(agent, err);
}

int netd_on(struct agent *agent, struct gb_err *err)
{
    int r = netd_start(agent, err);

    if (r == 0)
        r = netd_show(agent, err);
    if (r < 0)
        netd_off(agent);
    return r;
}

void netd_off(struct agent *agent)
{
    if (agent->netd.pid == 0)
        return;
    route_down();
    (void)netd_set_resolver(agent, false, NULL); /* what is written there leads nowhere now */
}

bool netd_reaped(struct agent *agent, pid_t pid)
{
    if (pid != agent->netd.pid)
        return false;
    netd_off(agent);
    agent->netd.pid = 0;
    return true;
}

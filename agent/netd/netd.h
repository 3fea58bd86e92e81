/* SPDX-License-Identifier: Apache-2.0 */
/* The guest's network: a process of its own (netd) that takes every connection which a program
 * begins, asks the host for it over the second port, and carries its bytes.
 *
 * Theory of operation
 *
 *   program   connect()  -> SYN -> the guest's own stack, for every IPv4 address is local (route.h)
 *   capture.c  a program in the kernel (sk_lookup) hands it to the one listener of netd, whose
 *              filter drops it at first: the SYN is held, and the program waits in connect(). A raw
 *              socket shows it to netd.
 *   relay.c    opens a stream to the host with address and port. The host says yes: the same SYN
 *              goes in again with a mark (its TTL), the filter lets it pass, and the connection is
 *              accepted. It says no: netd answers with what a refusing or unreachable machine would
 *              say, so that connect() fails with the errno that programs know.
 *   resolver.c a DNS server on port 53 of every address, which asks the host what a name is.
 *
 * Nothing here decides anything: the host knows the names, the rules and the addresses, and a guest
 * whose netd was taken over can ask for what the rules allow and no more.
 *
 * The process is forked from the agent when the host says NETWORK_ON, and not before. It makes
 * sockets and routes, gives up every right, and says so; only then is the request answered. It
 * parses what programs send (SYNs, DNS), and may die without the agent.
 */
#pragma once

#include <stdbool.h>

#include <sys/types.h>

#include "base/err.h"

struct agent;

struct netd {
    pid_t pid; /* 0: there was no network yet, or it has died */
};

/* Gives the guest a network. Harmless when it has one. 0 or a code, and then it has none. */
int netd_on(struct agent *agent, struct gb_err *err);
/* Takes it away: nothing is left of it to see but the process, which has no way to anywhere; the
 * host breaks the connections. Harmless without one. */
void netd_off(struct agent *agent);
/* A child has been reaped; whether it was netd, without which there is no network any more. */
bool netd_reaped(struct agent *agent, pid_t pid);

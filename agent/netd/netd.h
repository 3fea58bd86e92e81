/* SPDX-License-Identifier: Apache-2.0 */
/* The guest's network: a separate process (netd) that intercepts every connection which a program
 * opens, requests it from the host over the second port, and relays its bytes.
 *
 * Theory of operation
 *
 *   program    connect() sends a SYN to the guest's own stack, because every IPv4 address is local
 *              (route.h).
 *   capture.c  A BPF program (sk_lookup) directs it to netd's one listener, whose filter drops it
 * at first: the SYN is held, and the program waits in connect(). A raw socket passes it to netd.
 *   relay.c    Opens a stream to the host with address and port. If the host accepts, the same SYN
 *              is reinjected with a mark (its TTL), the filter lets it pass, and the connection is
 *              accepted. If the host refuses, netd sends the answer of a refusing or unreachable
 *              machine, so that connect() fails with the usual errno.
 *   resolver.c A DNS server on port 53 of every address, which asks the host for names.
 *
 * No decisions are made here: the host knows the names, the rules and the addresses, and a
 * compromised netd can request what the rules allow and no more.
 *
 * In the other direction, relay.c connects to a port of the guest for each stream that the host
 * opens. This needs no route: a guest without a network can have it.
 *
 * The agent forks the process when the host sends PREPARE, before a template is made of the guest:
 * then it is parked, with its port and its BPF program, without privileges, and without the
 * sockets, which programs would see; or, if none is parked, when the host sends NETWORK_ON or
 * NETWORK_START. The agent makes the sockets then, and passes them to it; when it reports that it
 * serves, the request is answered. It parses what programs send (SYNs, DNS), and its death does not
 * affect the agent: the host is told (NETWORK_LOST), and starts it again.
 *
 * A conversation with the host has a mark (wire/sync.h). A guest that was restored has a netd that
 * talks to a host which is not there any more: the host comes with another mark, for which the
 * agent ends that netd and starts a new one. However a netd ends, the kernel breaks the connections
 * that it had: none of them looks as if it had ended well.
 *
 * When the network is turned off, programs that wait for a connection, or have one, are told so by
 * packets, which need the route and the address: netd refuses and breaks everything first, and
 * reports that. The agent takes the route away then, or after a second without a report.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <sys/types.h>

#include "base/err.h"
#include "wire/sync.h"
#include "agent/loop.h"
#include "agent/netd/capture.h"

struct agent;

struct netd {
    pid_t pid;              /* 0: no network yet, or it has died */
    bool parked;            /* it waits for its conversation, and nothing of it can be seen */
    int parked_fd;          /* where it waits; -1: it does not any more */
    struct capture capture; /* its programs and their map, while it is parked */
    uint8_t mark[GB_SYNC_BYTES];
    struct source control; /* words of serve.h; fd −1: none can be exchanged */
    unsigned unanswered;   /* SERVE_OFF */
    bool leaving;          /* the network is being turned off, */
    uint32_t leaving_id;   /* by this request */
    struct deadline late;
};

/* Starts the process, which then waits for its conversation: what takes long is done in the
 * template of which many guests are made. If that fails there is none, and netd_start() will say
 * why. No-op if there is one. */
void netd_park(struct agent *agent);
/* Starts the process, without any route to it. No-op if it runs with this mark, GB_SYNC_BYTES; one
 * with another mark is ended. 0 or a code. */
int netd_start(struct agent *agent, struct gb_bytes mark, struct gb_err *err);
/* The same, and turns the guest's network on. 0 or a code, and then it is off. */
int netd_on(struct agent *agent, struct gb_bytes mark, struct gb_err *err);
/* Turns it on and ends it, so that the kernel and the emulator have been through all of it, and
 * parks another one. EBUSY: there is a network. 0 or a code. */
int netd_rehearse(struct agent *agent, struct gb_err *err);
/* Turns it off: the process stays, but without any route to it. True: that takes a moment, and then
 * request @id is answered. False: it is off. */
bool netd_off(struct agent *agent, uint32_t id);
/* A child has been reaped; returns whether it was netd. Without that the network is off, and the
 * host is told (NETWORK_LOST). */
bool netd_reaped(struct agent *agent, pid_t pid);

/* SPDX-License-Identifier: Apache-2.0 */
/* The network of one guest: a conversation over its second port, in which the guest asks for names
 * and connections, and everything is decided here.
 *
 * Theory of operation. A name that some rule knows gets an address of its own (synth.h), and others
 * do not exist: no question for a name leaves this host before there is a connection to it. A
 * connection to such an address is one to the name; to any other address it has none, and needs a
 * rule for addresses. What is allowed is dialled (dial.h), the guest's program waits meanwhile, and
 * what its first bytes say is held against the name (hello.h, http.h) before one of them goes out.
 *
 * A rule that is taken away breaks the connections that stood on it. Everything is told by events,
 * which carry names and counts and no content.
 *
 * All functions: loop thread only. Events are told from the loop. */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "loop/loop.h"
#include "net/policy.h"

struct gb_net;

/* A connection, or a name that was asked for (port 0). Strings are borrowed for the call. */
struct gb_net_news {
    uint64_t number;     /* of the connection in its session */
    const char *name;    /* NULL: an address was asked for */
    const char *address; /* that it was connected to, or asked for; NULL: none */
    uint16_t port;
    unsigned line;      /* of the policy's rule; 0: none */
    const char *reason; /* `no_rule`, `private_address`, `not_tls`, …; NULL: none. Static */
    uint64_t received, sent, duration_ns; /* by the guest; of a connection that is closed */
};

struct gb_net_events {
    void (*opened)(void *arg, const struct gb_net_news *news);
    void (*denied)(void *arg, const struct gb_net_news *news);
    /* An open one has ended; with a reason if it was broken. */
    void (*closed)(void *arg, const struct gb_net_news *news);
    /* The guest broke the protocol. Once; nothing is told after it. */
    void (*failed)(void *arg, const struct gb_err *err);
};

struct gb_net_figures {
    uint64_t opened, denied, received, sent;
    unsigned open;
};

/* Takes @fd, our end of the port, and the content of @policy. Gives. */
struct gb_net *gb_net_new(struct gb_loop *loop, int fd, struct gb_policy *policy,
                          const struct gb_net_events *events, void *arg);
/* Takes the content of @policy. Connections that it does not allow are broken. */
void gb_net_set_policy(struct gb_net *net, struct gb_policy *policy);
const struct gb_policy *gb_net_policy(const struct gb_net *net);
struct gb_net_figures gb_net_figures(const struct gb_net *net);
/* Breaks all connections, without an event. Accepts NULL. */
void gb_net_free(struct gb_net *net);

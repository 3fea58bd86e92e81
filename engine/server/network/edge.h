/* SPDX-License-Identifier: Apache-2.0 */
/* A session's glassbell-edge (docs/network.md, "Secrets"), from the server's side: starts it, gives
 * it descriptors, and hears what it did. The values of secrets do not pass through this process,
 * except those that its own environment has. */
#pragma once

#include "edge/protocol.h"
#include "loop/loop.h"
#include "net/secret.h"

struct gb_host;
struct edge_process;

/* A secret and its placeholder in the guest. */
struct secret_grant {
    struct gb_secret secret;
    char placeholder[GB_EDGE_TEXT_MAX + 1];
};

struct edge_events {
    /* It can be used; @certificate, PEM, is that of its authority. Once. */
    void (*ready)(void *arg, struct gb_bytes certificate);
    /* GB_EDGE_REQUEST or GB_EDGE_REFUSED. */
    void (*told)(void *arg, const struct gb_edge_message *message);
    /* It has ended, or was not ready in time: nothing is relayed any more. Once, and last. */
    void (*failed)(void *arg, const char *why);
};

/* Whether the value is available now, as far as can be determined without reading it. */
int edge_check_source(const struct gb_secret *secret, struct gb_err *err);

/* What it is started with. */
struct edge_work {
    const struct secret_grant *grants; /* borrowed for its life */
    size_t count;
    struct gb_bytes inspected; /* hosts without secrets, a line each; at most GB_EDGE_HOSTS_MAX */
    int heritage; /* yields the authority that it is to have (edge_share()), if it can; -1: none.
                   * Borrowed */
};

/* Events come from the loop. Gives. */
int edge_start(struct gb_loop *loop, const struct gb_host *host, const struct edge_work *work,
               const struct edge_events *events, void *arg, struct edge_process **ret_edge,
               struct gb_err *err);
/* A descriptor, which this gives, from which an edge can read this one's authority; -1: none. It is
 * not to be read here. */
int edge_share(struct edge_process *edge);
/* Hands over @socket (borrowed), which is connected to a host. Gives the guest's end, or -errno. */
int edge_connect(struct edge_process *edge, const struct gb_edge_message *connect, int socket);
/* Ends it. No-op on NULL. */
void edge_free(struct edge_process *edge);

/* SPDX-License-Identifier: Apache-2.0 */
/* The network of one guest: a conversation over its second port, in which the guest requests names
 * and connections; all decisions are made here.
 *
 * Theory of operation. A name that some rule allows gets a synthetic address (synth.h); other names
 * do not exist. No DNS query leaves this host before there is a connection to the name. A
 * connection to a synthetic address is a connection to its name; any other address has no name, and
 * needs a rule for addresses. An allowed connection is dialled (dial.h) while the guest's program
 * waits, and its first bytes are checked against the name (hello.h, http.h) before any of them is
 * sent.
 *
 * A connection about which a rule says to ask is held until it is answered, the policy decides it,
 * or the guest's program gives up (question.c).
 *
 * Removing a rule breaks the connections that it allowed. Everything is reported by events, which
 * carry names and counts but no content.
 *
 * In the other direction a port of the guest can be forwarded: a socket of this host listens, and
 * each of its clients gets a stream to that port (forward.c). This needs no rule, and allows the
 * guest nothing: all streams are opened here.
 *
 * Rules, names and forwarded ports are the session's; connections are a VM's. When the session gets
 * another one, or the guest's end of the conversation has died, all connections are broken
 * (gb_net_leave), and a new conversation begins (gb_net_join). In between there is none: clients of
 * forwarded ports wait.
 *
 * All functions: loop thread only. Events are called from the loop. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "loop/loop.h"
#include "net/policy.h"

struct gb_net;

/* A connection, or a name lookup (port 0). Strings are borrowed for the call. */
struct gb_net_news {
    uint64_t number;     /* of the connection, per session */
    const char *name;    /* NULL: an address was requested */
    const char *address; /* that was connected to, or requested; NULL: none */
    uint16_t port;
    uint32_t cell;      /* that was running when it began; 0: none */
    bool opened;        /* the connection was open */
    bool inspected;     /* its rule says so */
    const char *rule;   /* the text that allowed it, without a newline, possibly cut; NULL: none */
    unsigned line;      /* of the policy's rule; 0: none */
    const char *reason; /* `no_rule`, `private_address`, `not_tls`, …; NULL: none. Static */
    uint64_t received, sent, duration_ns; /* by the guest; once the connection is closed */
};

/* Connections to one target that wait for a decision. */
struct gb_net_question {
    uint64_t number;                                           /* per session */
    char name[GB_HOST_NAME_MAX + 1], address[GB_ADDRESS_TEXT]; /* one of them, the other is "" */
    uint16_t port;
    uint32_t cell;                  /* that asked first; 0: none was running */
    uint64_t asked_ns, asked_at_ns; /* monotonic, and wall clock */
    unsigned line;                  /* of the rule that says to ask */
    bool is_private, has_mode;      /* as in that rule */
    enum gb_policy_mode mode;
    unsigned waiting; /* connections */
};

enum {
    GB_NET_QUESTIONS_MAX = 16, /* at a time */
    GB_NET_FORWARDS_MAX = 16,
    GB_NET_VISITORS_MAX = 128, /* connections to all forwarded ports; further ones wait */
    GB_NET_FORWARD_TEXT = 128,
};

/* A port of the guest to which a socket of this host leads. */
struct gb_net_forward {
    uint64_t number;                 /* per session, increasing */
    uint16_t port;                   /* of the guest */
    char at[GB_NET_FORWARD_TEXT];    /* "127.0.0.1:41234", "[::1]:41234", or the path of a socket */
    unsigned open;                   /* connections */
    uint64_t opened, received, sent; /* bytes by the guest */
};

struct gb_net_forward_ask {
    uint16_t port;
    /* Where to listen: a path, or an address of this host's loopback interface; neither: a port of
     * 127.0.0.1 that is free. */
    struct gb_bytes path, address;
};

enum { GB_NET_STRAIGHT = -1, GB_NET_NOT = -2 };

struct gb_net_events {
    void (*opened)(void *arg, const struct gb_net_news *news);
    void (*denied)(void *arg, const struct gb_net_news *news);
    /* An open connection has ended; with a reason if it was broken. */
    void (*closed)(void *arg, const struct gb_net_news *news);
    /* A connection to a forwarded port has ended; @news->address is where the port was. */
    void (*visited)(void *arg, const struct gb_net_news *news);
    /* A question has come up, and its connection waits. NULL; or the reason why it cannot be asked:
     * then the connection is refused. */
    const char *(*asked)(void *arg, const struct gb_net_question *question);
    /* It has been settled: with the answer given, because of a new policy (`rules`), or because no
     * connection waits for it (`abandoned`, `session_ended`). */
    void (*answered)(void *arg, const struct gb_net_question *question, const char *answer);
    /* A connection to a name that must begin with TLS is open at @socket (borrowed). Returns a
     * descriptor (given) to use instead, if the connection is intercepted; GB_NET_STRAIGHT: it is
     * not, which an inspected one has to be; GB_NET_NOT: it is refused. NULL: none is ever
     * intercepted. */
    int (*diverted)(void *arg, const struct gb_net_news *news, int socket);
    /* A client waits at a forwarded port, and there is no conversation. May be repeated. */
    void (*wanted)(void *arg);
    /* The guest violated the protocol. Called once for each conversation, and last. */
    void (*failed)(void *arg, const struct gb_err *err);
};

enum { GB_NET_MARK_BYTES = 16 }; /* of the mark of a conversation (wire/sync.h) */

struct gb_net_limits {
    unsigned connections; /* at a time */
    uint64_t bytes;       /* in both directions, of all connections; 0: no limit */
    unsigned names;       /* that get an address; at most GB_SYNTH_MAX */
};

struct gb_net_figures {
    uint64_t opened, denied, received, sent;
    unsigned open;
};

/* Moves the content of @policy. There is no conversation yet. Gives. */
struct gb_net *gb_net_new(struct gb_loop *loop, struct gb_policy *policy,
                          const struct gb_net_limits *limits, const struct gb_net_events *events,
                          void *arg);
/* Adds the names of @origin, with their addresses: a guest was made from one that knows them. To be
 * called first. */
void gb_net_take_names(struct gb_net *net, const struct gb_net *origin);
/* Begins a conversation, when there is none. Takes @fd, our end of the port; -1: the one of the
 * last conversation. The guest is told the same @mark, GB_NET_MARK_BYTES. */
void gb_net_join(struct gb_net *net, int fd, const uint8_t *mark);
bool gb_net_is_joined(const struct gb_net *net);
/* The guest stands still: from now on nothing is sent to it or read from it; or it goes on. What
 * has been sent before may still arrive. */
void gb_net_stand(struct gb_net *net, bool stands);
/* There is no conversation, and none is to be expected soon: breaks the connections of clients that
 * wait for one. */
void gb_net_turn_away(struct gb_net *net);
/* Ends it, breaking all connections, for @reason; what the guest has sent to the end is still
 * delivered. @vm_gone: the port is of no use any more. No-op if there is none. */
void gb_net_leave(struct gb_net *net, const char *reason, bool vm_gone);
/* Moves the content of @policy. Breaks connections that it does not allow. */
void gb_net_set_policy(struct gb_net *net, struct gb_policy *policy);
/* The cell that is running, 0: none: connections and lookups that begin from now on are its own. */
void gb_net_set_cell(struct gb_net *net, uint32_t cell);
/* Answers a question: its connections are dialled, or refused with @reason. @answer and @reason are
 * static. False: there is no such question. */
bool gb_net_answer(struct gb_net *net, uint64_t number, bool allow, const char *answer,
                   const char *reason);
/* The question after number @after, oldest first; NULL: none. */
const struct gb_net_question *gb_net_question(const struct gb_net *net, uint64_t after);
/* Forwards a port until gb_net_unforward() or gb_net_end(). GB_EINVALID: a path that is too long,
 * an address that is not of the loopback interface; GB_EBUSY: too many, or the address is in
 * use. */
int gb_net_forward(struct gb_net *net, const struct gb_net_forward_ask *ask,
                   const struct gb_net_forward **ret_forward, struct gb_err *err);
/* Ends it, breaking its connections. False: there is no such number. */
bool gb_net_unforward(struct gb_net *net, uint64_t number);
/* The one after number @after, oldest first; NULL: none. */
const struct gb_net_forward *gb_net_forwarded(const struct gb_net *net, uint64_t after);
const struct gb_policy *gb_net_policy(const struct gb_net *net);
struct gb_net_figures gb_net_figures(const struct gb_net *net);
/* Breaks all connections, with the reason `session_ended`. */
void gb_net_end(struct gb_net *net);
/* After gb_net_end(). No-op on NULL. */
void gb_net_free(struct gb_net *net);

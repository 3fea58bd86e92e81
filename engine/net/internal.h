/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of this module. Private. */
#pragma once

#include "base/list.h"
#include "net/dial.h"
#include "net/http.h"
#include "net/net.h"
#include "net/synth.h"
#include "wire/mux.h"
#include "wire/sync.h"

enum {
    NET_RULE_TEXT = 256,         /* bytes of a rule that are reported */
    NET_QUEUE_HIGH = 512 * 1024, /* bytes queued for the guest above which nothing is read for it */
    NET_QUEUE_LOW = 128 * 1024,
    NET_ANSWERS_MAX = 2 * NET_QUEUE_HIGH, /* above it nothing is read from it either */
};

struct net_question;

/* A connection that may wait for an answer. Embed it, zeroed, with `answered` set. */
struct net_waiter {
    struct gb_list link;
    struct net_question *question; /* NULL: it does not wait */
    /* It waits no more: the question is answered. With @reason if not allowed. */
    void (*answered)(struct net_waiter *waiter, bool allow, const char *reason);
};

struct gb_net {
    struct gb_loop *loop;
    struct gb_stream *port; /* NULL: there is no VM */
    bool joined, stands;    /* stands: gb_net_stand() */
    struct gb_sync sync;
    struct gb_buf out;
    struct gb_mux mux;
    struct gb_policy policy;
    struct gb_synth synth;
    struct gb_net_limits limits;
    struct gb_net_events events;
    void *arg;
    struct gb_list links;
    struct gb_net_figures figures;
    struct gb_list questions;
    struct gb_list forwards;
    unsigned visitors; /* connections to all of them */
    uint64_t numbered, questions_numbered, forwards_numbered;
    uint32_t cell;                          /* running; 0: none */
    char denied_name[GB_HOST_NAME_MAX + 1]; /* the last one */
    uint64_t denied_ns;
    uint32_t denied_cell;
    struct gb_deferred flush;
    bool failed;
};

/* ---- flow.c ---- */

/* Lets streams take turns while the guest accepts their data, and sends what was written. */
void flow_run(struct gb_net *net);
/* The same at the end of this loop iteration. */
void flow_later(struct gb_net *net);
/* The address's name, or NULL, and the rule that allows it, or NULL. */
const struct gb_policy_rule *flow_rule(const struct gb_net *net, uint32_t address, uint16_t port,
                                       const char **ret_name);

/* ---- splice.c ---- */

/* Bytes between a stream of the mux and a socket of this host, both ways. Embed it; its owner sets
 * the members up to `all_sent` and the data of the socket's handle, which is the splice, or NULL
 * once the handle is being closed. */
struct net_splice {
    struct gb_net *net;
    struct gb_mux_stream *stream; /* NULL: it has ended, and remaining data is being sent */
    uv_stream_t *socket;
    const struct net_splice_events *events;
    uint64_t *all_received, *all_sent; /* further sums of bytes */
    uint64_t received, sent;           /* bytes by the guest */
    size_t writing;                    /* bytes being written to the socket */
    bool reading;
};

/* Called from the loop, and from the functions below; the splice may be freed in each. */
struct net_splice_events {
    /* Bytes have come from the socket. False: they are dropped. NULL: they never are. */
    bool (*may_receive)(struct net_splice *splice);
    /* The socket has failed. */
    void (*broken)(struct net_splice *splice);
    /* Both halves have ended, and everything has been sent. */
    void (*done)(struct net_splice *splice);
};

/* Reads the socket, from now on or again: its stream has turn and credit. */
void splice_read(struct net_splice *splice);
/* Writes @bytes; when they have been sent, grants the guest @granted bytes of credit. */
void splice_write(struct net_splice *splice, struct gb_bytes bytes, size_t granted);
void splice_grant(struct net_splice *splice, size_t bytes);
/* The guest's half has ended. */
void splice_shut(struct net_splice *splice);
/* The stream has ended, without an error. */
void splice_ended(struct net_splice *splice);

/* ---- link.c ---- */

/* For GB_STREAM_CONNECT. */
int link_opened(struct gb_net *net, struct gb_mux_stream *stream, struct gb_bytes params,
                struct gb_err *err);
void link_fill(struct gb_mux_stream *stream);
int link_data(struct gb_mux_stream *stream, struct gb_bytes bytes);
void link_shut(struct gb_mux_stream *stream);
void link_ended(struct gb_mux_stream *stream, const struct gb_err *why);
/* Breaks connections that no rule allows any more. */
void link_check_all(struct gb_net *net);
/* Breaks all of them; @finishing: also those that both sides have ended, and whose last bytes are
 * still being sent. */
void link_end_all(struct gb_net *net, const char *reason, bool finishing);

/* ---- question.c ---- */

/* Lets @waiter wait for the answer about this target. NULL; or the reason why it cannot. */
const char *question_join(struct gb_net *net, struct net_waiter *waiter,
                          const struct gb_net_news *news, const struct gb_policy_rule *rule);
/* It waits no more; if it was the last one, the question is over, with @answer. No-op if it does
 * not wait. */
void question_leave(struct gb_net *net, struct net_waiter *waiter, const char *answer);

/* ---- forward.c ---- */

/* For GB_STREAM_FORWARD. */
void forward_fill(struct gb_mux_stream *stream);
int forward_data(struct gb_mux_stream *stream, struct gb_bytes bytes);
void forward_shut(struct gb_mux_stream *stream);
void forward_ended(struct gb_mux_stream *stream, const struct gb_err *why);
/* Breaks the connections of all of them, like link_end_all(). */
void forward_break_all(struct gb_net *net, const char *reason, bool finishing);
/* Accepts clients who had to wait, as far as possible. */
void forward_go_on(struct gb_net *net);
/* Ends all of them. */
void forward_end_all(struct gb_net *net);

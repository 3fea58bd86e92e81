/* SPDX-License-Identifier: Apache-2.0 */
/* The protocol between the server and a session's glassbell-edge, over a SOCK_SEQPACKET socket: a
 * message is one packet, consisting of a byte with its kind and the fields of its table, and may
 * carry descriptors.
 *
 *     server: SECRET … HERITAGE? START  then CONNECT, VALUE, SHARE at any time
 *     edge:                READY        then REQUEST, REFUSED, WANT at any time
 *                          or FAILED    and the edge ends
 *
 * The server trusts the edge with nothing: it accepts only numbers of connections and secrets that
 * it has sent itself, and texts are only shown and recorded. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "edge/place.h"

enum {
    GB_EDGE_FD = 3, /* the socket, in the edge */
    GB_EDGE_PACKET_MAX = 32 * 1024,
    GB_EDGE_FDS_MAX = 2,
    GB_EDGE_SECRETS_MAX = 16,
    GB_EDGE_HOSTS_MAX = 32, /* of a secret */
    GB_EDGE_NAME_MAX = 64,  /* of a secret; also of a field or a parameter */
    GB_EDGE_CONNECTIONS_MAX = 256,
    GB_EDGE_TEXT_MAX = 200,
    GB_EDGE_CERTIFICATE_MAX = 8 * 1024,
    GB_EDGE_AUTHORITY_MAX = 64 * 1024, /* with its key: it fits into a pipe */
};

enum gb_edge_kind {
    GB_EDGE_SECRET = 1, /* a secret; the first descriptor yields the value, the second, if `trust`
                         * is set, certificates that vouch for its hosts */
    GB_EDGE_START,      /* that was all; the descriptor, if any, yields the usual certificates */
    GB_EDGE_VALUE,      /* a descriptor from which the value of a secret can be read again */
    GB_EDGE_CONNECT,    /* two sockets: the guest's end, and the server's, connected */
    GB_EDGE_SHARE,      /* a descriptor into which the authority is written, with its key: for the
                         * edge of a fork, whose programs trust it */
    GB_EDGE_HERITAGE,   /* in a fork: a descriptor that yields what SHARE has written in its origin;
                         * if nothing comes of it, the edge makes an authority of its own */
    GB_EDGE_READY,      /* connections can be given to it */
    GB_EDGE_REQUEST,    /* a request has been answered */
    GB_EDGE_REFUSED,    /* a connection was broken, for `reason` */
    GB_EDGE_WANT,       /* the value of a secret is too old: VALUE is to follow */
    GB_EDGE_FAILED,     /* it cannot work, and ends */
    GB_EDGE_KIND_COUNT
};

/* Why a connection was broken. */
#define GB_EDGE_REASONS(X)                                                                         \
    X(GB_EDGE_BAD_REQUEST, "bad_request")                                                          \
    X(GB_EDGE_OTHER_HOST, "other_host")                                                            \
    X(GB_EDGE_NO_SECRET, "no_secret")                                                              \
    X(GB_EDGE_BAD_SERVER, "bad_certificate")                                                       \
    X(GB_EDGE_BAD_ANSWER, "bad_answer")                                                            \
    X(GB_EDGE_BAD_TLS, "bad_tls")                                                                  \
    X(GB_EDGE_TOO_MANY, "too_many_connections")

enum gb_edge_reason {
#define GB_X(name, text) name,
    GB_EDGE_REASONS(GB_X)
#undef GB_X
        GB_EDGE_REASON_COUNT
};

/* The keyword; static. "?" if it is none. */
const char *gb_edge_reason(uint32_t reason);

/* A union of all messages: kinds use those fields that say so. */
struct gb_edge_message {
    uint8_t kind;
    uint32_t index;       /* SECRET, VALUE, WANT: of the secret, counted from 0 */
    uint8_t place, trust; /* SECRET: enum gb_secret_place; whether there are certificates */
    uint64_t expires_ms;  /* SECRET: 0: never */
    /* SECRET: its name, placeholder, key, and hosts, a line each. START: hosts without secrets.
     * CONNECT, REQUEST, REFUSED: the host. READY: the certificate, PEM. FAILED: why. */
    struct gb_bytes name, placeholder, key, hosts;
    uint64_t number;              /* CONNECT, REQUEST, REFUSED: of the connection */
    uint32_t cell, port;          /* likewise */
    uint32_t status, reason;      /* REQUEST: of HTTP; REFUSED: enum gb_edge_reason */
    struct gb_bytes method, path; /* REQUEST, REFUSED: "" before there is one */
    struct gb_bytes secrets;      /* REQUEST: names of those that were put in */
};

void gb_edge_encode(const struct gb_edge_message *message, struct gb_buf *packet);
/* Borrows from @packet. GB_EINTERNAL: it is none. */
int gb_edge_decode(struct gb_bytes packet, struct gb_edge_message *ret_message, struct gb_err *err);

/* Sends @packet with descriptors (borrowed). Without @wait, fails with -EAGAIN if the socket
 * accepts nothing. 0 or -errno. */
int gb_edge_send(int socket, struct gb_bytes packet, const int *fds, size_t fd_count, bool wait);
/* Receives one packet. Gives *@ret_count descriptors, close-on-exec. The size, 0: the peer is gone,
 * or -errno; -EAGAIN: there is none. */
ptrdiff_t gb_edge_receive(int socket, uint8_t packet[GB_EDGE_PACKET_MAX],
                          int ret_fds[GB_EDGE_FDS_MAX], size_t *ret_count);

/* SPDX-License-Identifier: Apache-2.0 */
/* Connections of the guest's programs, each with a stream to the host.
 *
 * Life of a connection: HELD (the program waits in connect(), the host has been asked) → GRANTED
 * (the SYN was reinjected, the kernel completes the handshake) → OPEN (accepted: bytes flow both
 * ways) → gone. A program that has given up in the meantime answers the SYN|ACK with a reset, so a
 * GRANTED connection that is not accepted for a while is dropped.
 *
 * A connection that the host opens, to a port of the guest: ENTERING (connecting to 127.0.0.1, then
 * to ::1) → OPEN → gone.
 */
#pragma once

#include "base/list.h"
#include "agent/loop.h"
#include "agent/netd/capture.h"
#include "agent/port.h"
#include "wire/guest.h"
#include "wire/mux.h"

/* Of both directions. A connection may outlive its stream, for data that the program has not read
 * yet, so these have their own limit: at the limit a SYN is dropped, which will be retransmitted,
 * and the host is told. */
enum { RELAY_CONNECTIONS_MAX = 2 * GB_STREAMS_MAX };

struct relay {
    struct loop *loop;
    struct gb_mux *mux;
    int out_fd;
    struct source syns;
    struct source listener; /* not watched while there is no room for new connections */
    struct deadline again;  /* when there may be */
    struct gb_list connections;
    unsigned count;
    bool off; /* programs may not connect */
    struct deadline sweep;
};

/* Borrows everything for its life. 0 or -errno. */
int relay_init(struct relay *relay, struct loop *loop, struct gb_mux *mux,
               const struct capture *capture);

/* The host has opened a GB_STREAM_FORWARD. 0; 1: refused, with the reason; or a violation. */
int relay_enter(struct relay *relay, struct gb_mux_stream *stream, struct gb_bytes params,
                struct gb_err *err);

/* Whether programs may connect; initially true. When turned off, waiting and later connections are
 * refused as unreachable, and open ones are broken; connections opened by the host stay. */
void relay_turn(struct relay *relay, bool on);

/* For GB_STREAM_CONNECT and GB_STREAM_FORWARD. */
void relay_fill(struct relay *relay, struct gb_mux_stream *stream);
int relay_data(struct relay *relay, struct gb_mux_stream *stream, struct gb_bytes bytes,
               struct gb_err *err);
void relay_shut(struct relay *relay, struct gb_mux_stream *stream);
void relay_ended(struct relay *relay, struct gb_mux_stream *stream, const struct gb_err *why);

/* SPDX-License-Identifier: Apache-2.0 */
/* A DNS server for the guest's programs, on port 53 of every address. It knows nothing itself: each
 * name is a question to the host, by a stream of its own. */
#pragma once

#include "agent/loop.h"
#include "agent/netd/capture.h"
#include "wire/mux.h"

struct resolver {
    struct gb_mux *mux;
    struct source source;
};

/* Borrows all for its life. 0 or -errno. */
int resolver_init(struct resolver *resolver, struct loop *loop, struct gb_mux *mux,
                  const struct capture *capture);

/* Of GB_STREAM_RESOLVE. */
int resolver_shut(struct resolver *resolver, struct gb_mux_stream *stream, struct gb_bytes word,
                  struct gb_err *err);
void resolver_ended(struct resolver *resolver, struct gb_mux_stream *stream);

/* SPDX-License-Identifier: Apache-2.0 */
/* A DNS server for the guest's programs, on port 53 of every address. It has no data of its own:
 * each query is forwarded to the host, on its own stream. */
#pragma once

#include "agent/loop.h"
#include "agent/netd/capture.h"
#include "wire/mux.h"

struct resolver {
    struct gb_mux *mux;
    struct source source;
};

/* Borrows everything for its life. 0 or -errno. */
int resolver_init(struct resolver *resolver, struct loop *loop, struct gb_mux *mux,
                  const struct capture *capture);

/* For GB_STREAM_RESOLVE. */
int resolver_shut(struct resolver *resolver, struct gb_mux_stream *stream, struct gb_bytes word,
                  struct gb_err *err);
void resolver_ended(struct resolver *resolver, struct gb_mux_stream *stream);

/* SPDX-License-Identifier: Apache-2.0 */
/* Reading files below the user's home, with the user's rights. */
#pragma once

#include "wire/mux.h"

/* For download streams (agent/stream.c). */
int download_opened(void *arg, struct gb_mux_stream *stream, struct gb_bytes params,
                    struct gb_err *err);
void download_fill(void *arg, struct gb_mux_stream *stream);
void download_ended(void *arg, struct gb_mux_stream *stream, const struct gb_err *why);

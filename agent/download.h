/* SPDX-License-Identifier: Apache-2.0 */
/* Files that are read, below the user's home and with the user's rights. */
#pragma once

#include "wire/mux.h"

/* Of streams download (agent/stream.c). */
int download_opened(void *arg, struct gb_mux_stream *stream, struct gb_bytes params,
                    struct gb_err *err);
void download_fill(void *arg, struct gb_mux_stream *stream);
void download_ended(void *arg, struct gb_mux_stream *stream, const struct gb_err *why);

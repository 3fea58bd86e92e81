/* SPDX-License-Identifier: Apache-2.0 */
/* Writing files below the user's home, with the user's rights: a file has no name until it is
 * complete, so that an unfinished one leaves nothing behind. */
#pragma once

#include "files.h"
#include "wire/mux.h"

/* Creates the file @path in the home, and its folders, from these bytes. -GB_E… with a message. */
int upload_put(struct files *files, struct gb_bytes path, struct gb_bytes data, mode_t mode,
               struct gb_err *err);

/* For upload streams (agent/stream.c). */
int upload_opened(void *arg, struct gb_mux_stream *stream, struct gb_bytes params,
                  struct gb_err *err);
int upload_data(void *arg, struct gb_mux_stream *stream, struct gb_bytes bytes, struct gb_err *err);
/* The file is complete: gives it its name. */
int upload_shut(void *arg, struct gb_mux_stream *stream, struct gb_bytes word, struct gb_err *err);
void upload_ended(void *arg, struct gb_mux_stream *stream, const struct gb_err *why);

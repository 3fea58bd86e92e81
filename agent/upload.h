/* SPDX-License-Identifier: Apache-2.0 */
/* Files that are written, below the user's home and with the user's rights: a file has no name
 * until it is whole, so that one that is not finished leaves nothing behind. */
#pragma once

#include "files.h"
#include "wire/mux.h"

/* Makes the file @path of the home, with its folders, of these bytes. -GB_E… with a sentence. */
int upload_put(struct files *files, struct gb_bytes path, struct gb_bytes data, mode_t mode,
               struct gb_err *err);

/* Of streams upload (agent/stream.c). */
int upload_opened(void *arg, struct gb_mux_stream *stream, struct gb_bytes params,
                  struct gb_err *err);
int upload_data(void *arg, struct gb_mux_stream *stream, struct gb_bytes bytes, struct gb_err *err);
/* The file is whole: it gets its name. */
int upload_shut(void *arg, struct gb_mux_stream *stream, struct gb_bytes word, struct gb_err *err);
void upload_ended(void *arg, struct gb_mux_stream *stream, const struct gb_err *why);

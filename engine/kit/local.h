/* SPDX-License-Identifier: Apache-2.0 */
/* Writes to whatever a local path names, as cp does, without replacing special files.
 *
 * A regular or new file appears whole or not at all: a temporary file is written next to it and
 * renamed over it, with the mode and owner of the file that it replaces. Symbolic links are
 * followed, including dangling ones. A file that cannot be replaced (it has several hard links, is
 * a mount point, or its folder is not writable) is overwritten once all data has arrived. Devices,
 * FIFOs, sockets and our own descriptors (/dev/stdout) are written to directly and in order.
 *
 * Opening a FIFO blocks until it has a reader, and a full pipe blocks until it has room, as with
 * any program; Ctrl-C then ends the process.
 */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/* What the verbs take "-" for. */
#define LOCAL_STDIN "/dev/stdin"
#define LOCAL_STDOUT "/dev/stdout"

struct local;

/* Gives; NULL with @err if it cannot be written. A folder is GB_EINVALID. */
struct local *local_open(const char *path, struct gb_err *err);
/* Whether bytes go straight to the destination, and so must be written in order. */
bool local_in_order(const struct local *local);
bool local_is_terminal(const struct local *local);
/* 0, or a failure with @err, after which only local_cancel() is allowed. */
int local_write(struct local *local, uint64_t offset, struct gb_bytes bytes, struct gb_err *err);
/* Completes the write. Frees it even on failure, which leaves an existing file unchanged. */
int local_finish(struct local *local, struct gb_err *err);
/* Discards the write: leaves nothing behind, and an existing file unchanged. No-op on NULL. */
void local_cancel(struct local *local);
/* The above in one step. */
int local_put(const char *path, struct gb_bytes bytes, struct gb_err *err);

/* Opens @path for reading from the start: a file, a device, a FIFO, one of our descriptors. Returns
 * the descriptor, or a failure with @err. */
int local_open_input(const char *path, struct gb_err *err);

/* Whether @path names something that is read or written in order: neither a file nor a folder, and
 * not missing. */
bool local_is_stream(const char *path);

/* Between begin and end, SIGINT and SIGTERM have their default action unless they are ignored: for
 * calls that may block for long. */
struct local_wait {
    struct sigaction before[2];
};
void local_wait_begin(struct local_wait *wait);
void local_wait_end(const struct local_wait *wait);

/* SPDX-License-Identifier: Apache-2.0 */
/* Writing to what a path of this machine stands for, as cp does, and never in its place.
 *
 * A file, or a name that is still free, appears whole or not at all: it is written beside itself
 * and renamed, with the mode and the owner of the file that it replaces. A link is followed, also
 * one that leads to nothing yet. A file that cannot be exchanged (it has several names, is mounted,
 * or its folder cannot be written to) is written into when all of it is here. Devices, FIFOs,
 * sockets and our own descriptors (/dev/stdout) are written into, in order and at once.
 *
 * A FIFO waits for its reader, and a full pipe for room, as with any program: whoever presses C-c
 * then ends the process.
 */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/* What verbs call "-". */
#define LOCAL_STDIN "/dev/stdin"
#define LOCAL_STDOUT "/dev/stdout"

struct local;

/* Gives; NULL with @err: it cannot be written. A folder is GB_EINVALID. */
struct local *local_open(const char *path, struct gb_err *err);
/* Bytes go to where it leads as they are written, so that they have to come one behind the other.
 */
bool local_in_order(const struct local *local);
bool local_is_terminal(const struct local *local);
/* 0, or a failure with @err; then there is nothing to do but local_cancel(). */
int local_write(struct local *local, uint64_t offset, struct gb_bytes bytes, struct gb_err *err);
/* All has been written. Frees it, also when it fails: then a file that was there is as it was. */
int local_finish(struct local *local, struct gb_err *err);
/* Nothing is left behind, and a file that was there is as it was. Accepts NULL. */
void local_cancel(struct local *local);
/* All of that in one step. */
int local_put(const char *path, struct gb_bytes bytes, struct gb_err *err);

/* Opens @path to be read from its beginning: a file, a device, a FIFO, one of our descriptors. The
 * descriptor, or a failure with @err. */
int local_open_input(const char *path, struct gb_err *err);

/* Whether @path leads to what is written or read in order: neither a file nor a folder nor nothing.
 */
bool local_is_stream(const char *path);

/* Between the two SIGINT and SIGTERM do what they do by default, unless they are ignored: for what
 * may wait long. */
struct local_wait {
    struct sigaction before[2];
};
void local_wait_begin(struct local_wait *wait);
void local_wait_end(const struct local_wait *wait);

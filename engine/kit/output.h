/* SPDX-License-Identifier: Apache-2.0 */
/* Standard output and error, byte for byte and without blocking the loop.
 *
 * A pipe or terminal is reopened (gb_file_reopen()), so that O_NONBLOCK does not affect the
 * programs that share it with us; a file is written directly. What the reader does not accept at
 * once is queued: the producer checks output_queued() and stops while it is high.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "loop/loop.h"

struct output;

/* @drained: the queue has become empty. @broken: the reader is gone (EPIPE) or the disk is full;
 * called once, from the loop; later writes are dropped. Gives. */
struct output *output_new(struct gb_loop *loop, int fd, void (*drained)(void *arg),
                          void (*broken)(void *arg, int sys_errno), void *arg);
void output_write(struct output *output, struct gb_bytes bytes);
size_t output_queued(const struct output *output);
/* Drops queued bytes. No-op on NULL. */
void output_free(struct output *output);

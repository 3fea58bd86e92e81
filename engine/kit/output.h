/* SPDX-License-Identifier: Apache-2.0 */
/* Standard output and error, byte-exact and without blocking the loop.
 *
 * A pipe or terminal is opened anew (gb_file_reopen()), so that O_NONBLOCK does not reach the
 * programs that share it with us; a file is written to directly. What the reader does not take at
 * once is queued: whoever produces looks at output_queued() and stops for as long as it is high.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "loop/loop.h"

struct output;

/* @drained: the queue is empty again. @broken: nobody reads any more (EPIPE) or the disk is full;
 * once, from the loop; what is written later is dropped. Gives. */
struct output *output_new(struct gb_loop *loop, int fd, void (*drained)(void *arg),
                          void (*broken)(void *arg, int sys_errno), void *arg);
void output_write(struct output *output, struct gb_bytes bytes);
size_t output_queued(const struct output *output);
/* What is queued is lost. Accepts NULL. */
void output_free(struct output *output);

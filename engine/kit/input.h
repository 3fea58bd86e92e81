/* SPDX-License-Identifier: Apache-2.0 */
/* Reads standard input from the loop, be it a pipe, terminal, socket or file, without side effects
 * on other programs that share the descriptor. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "loop/loop.h"

struct input;

/* @got: bytes, at most 64 KiB at a time; empty once, at end of file. Starts unpaused. Borrows @fd.
 * Gives. A terminal is not read while this process is in the background: reading is then paused as
 * by input_pause(), until SIGCONT at the earliest. */
struct input *input_new(struct gb_loop *loop, int fd, void (*got)(void *arg, struct gb_bytes bytes),
                        void *arg);
void input_pause(struct input *input, bool paused);
/* No-op on NULL. */
void input_free(struct input *input);

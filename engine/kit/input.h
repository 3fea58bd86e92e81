/* SPDX-License-Identifier: Apache-2.0 */
/* Standard input from the loop: pipes, terminals, sockets and files alike, without changing what
 * other programs that share it see. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "loop/loop.h"

struct input;

/* @got: bytes, at most 64 KiB a time; empty at the end, once. Starts unpaused. Borrows @fd. Gives.
 * A terminal is not read while this process is in the background: then it is paused as by
 * input_pause(), until SIGCONT at the earliest. */
struct input *input_new(struct gb_loop *loop, int fd, void (*got)(void *arg, struct gb_bytes bytes),
                        void *arg);
void input_pause(struct input *input, bool paused);
/* Accepts NULL. */
void input_free(struct input *input);

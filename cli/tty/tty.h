/* SPDX-License-Identifier: Apache-2.0 */
/* Connects our terminal to a program in a session: input is passed on unchanged, and what the
 * server paints is shown. Enter ~ . detaches, and the program continues. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cli/app.h"

/* Runs a program from words and options as for `exec -it` and `shell`: a session, then a program
 * with its arguments, or none for the user's shell. @attach: the number of a terminal to attach to
 * instead; 0: start a program. @watch: do not type. Returns the exit status: the program's, 128
 * plus the signal that killed it, or 0 when detached. */
int tty_main(const struct args *args, uint32_t attach, bool watch);

/* SPDX-License-Identifier: Apache-2.0 */
/* Connects our terminal to a program in a session: input is passed on unchanged, and what the
 * server paints is shown. Enter ~ . detaches, and the program continues. */
#pragma once

#include <stdint.h>

#include "cli/app.h"

struct tty_config {
    const char *session;      /* its id */
    const char *name;         /* the name that the user gave */
    const struct args *args;  /* the verb's: -e */
    const char *const *words; /* the program and its arguments; empty: the user's shell */
    size_t word_count;
    uint32_t attach; /* number of the terminal to attach to; 0: start a program */
    bool watch;      /* do not type */
};

/* Returns the exit status: the program's, 128 plus the signal that killed it, or 0 when
 * detached. */
int tty_run(struct app *app, const struct tty_config *config);
/* The same from words and options as for `exec -it` and `shell`: a session, then a program. */
int tty_main(const struct args *args, uint32_t attach, bool watch);

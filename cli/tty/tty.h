/* SPDX-License-Identifier: Apache-2.0 */
/* Our terminal as that of a program in a session: what is typed goes there as it is, and what the
 * server paints comes here. Enter ~ . leaves, and the program goes on. */
#pragma once

#include <stdint.h>

#include "cli/app.h"

struct tty_config {
    const char *session;      /* its id */
    const char *name;         /* what the user calls it */
    const struct args *args;  /* of the verb: -e */
    const char *const *words; /* the program and its arguments; none: the user's shell */
    size_t word_count;
    uint32_t attach; /* to this terminal; 0: a program is started */
    bool watch;      /* nothing is typed */
};

/* Returns the status to exit with: the program's, 128 and the number of the signal that ended it, 0
 * when it was left. */
int tty_run(struct app *app, const struct tty_config *config);
/* The same for words and options as `exec -it` and `shell` have them: a session, then a program. */
int tty_main(const struct args *args, uint32_t attach, bool watch);

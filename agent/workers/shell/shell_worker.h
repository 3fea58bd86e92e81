/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/channel.h"

/* Shared by the worker's loop (glassbell.c) and the answers to questions (complete.c). */

/* Descriptor of /dev/null, above CHANNEL_FIRST_FD. */
extern int shell_null_fd;

/* Runs @action(@arg) with a place to land for bash's jumps to its top level. */
void shell_guard(void (*action)(void *arg), void *arg);

/* What a cell says of the program that it is: program.c. */
struct program {
    char *file;  /* absolute; empty: the code is none */
    char **argv; /* argc strings, the name first; none: the cell says nothing of arguments */
    size_t argc;
    char *name_before; /* $0, while the program has its own */
};

void program_read(struct program *program, struct fields *f);
void program_release(struct program *program);
/* Sets $0 and "$@", and puts back what they were. */
void program_enter(struct program *program);
void program_leave(struct program *program);
/* Replaces this process by the file's program. */
_Noreturn void program_become(const struct program *program);
/* What is to be executed for the file, with a frame for it; malloc()ed, NULL when it cannot be
 * read: that was said. */
char *program_text(const struct program *program);

/* Answers one message of the query channel. */
void complete_answer(struct channel *c, const struct message *m);

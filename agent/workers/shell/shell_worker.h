/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/channel.h"

/* Shared by the worker's main loop (glassbell.c) and the answers to queries (complete.c). */

/* Descriptor of /dev/null, above CHANNEL_FIRST_FD. */
extern int shell_null_fd;

/* Runs @action(@arg) with a jump target for bash's jumps to its top level. */
void shell_guard(void (*action)(void *arg), void *arg);

/* The program that a cell is to run: program.c. */
struct program {
    char *file;  /* absolute path; empty: no file */
    char **argv; /* argc strings, the name first; none: the cell has no arguments */
    size_t argc;
    char *name_before; /* the previous $0, while the program has its own */
};

void program_read(struct program *program, struct fields *f);
void program_release(struct program *program);
/* Set $0 and "$@", and restore them. */
void program_enter(struct program *program);
void program_leave(struct program *program);
/* Replaces this process with the file's program. */
_Noreturn void program_become(const struct program *program);
/* The text to execute for the file, with a frame around it; malloc()ed. NULL if it cannot be read,
 * which has been reported. */
char *program_text(const struct program *program);

/* Answers one message from the query channel. */
void complete_answer(struct channel *c, const struct message *m);

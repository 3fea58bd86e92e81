#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/channel.h"

/* Shared by the worker's loop (glassbell.c) and the answers to questions (complete.c). */

/* Descriptor of /dev/null, above CHANNEL_FIRST_FD. */
extern int shell_null_fd;

/* Runs @action(@arg) with a place to land for bash's jumps to its top level. */
void shell_guard(void (*action)(void *arg), void *arg);

/* Answers one message of the query channel. */
void complete_answer(struct channel *c, const struct message *m);

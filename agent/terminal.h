/* SPDX-License-Identifier: Apache-2.0 */
/* Programs at terminals: each has a pseudo terminal and its own stream for both directions. They
 * belong to no cell: no cell waits for them, and the end of a cell does not end them.
 *
 * A terminal ends when the program that was started at it ends: its output so far is sent, then the
 * final message, and the rest of its session is hung up. A process that survives this (nohup) is
 * treated like one left running by a cell. If the host ends its half, the terminal is hung up
 * immediately, as when a modem loses its carrier; processes started at the terminal that do not end
 * are killed two seconds later.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/list.h"
#include "loop.h"
#include "wire/guest.h"
#include "wire/mux.h"

struct agent;

struct terminal {
    struct gb_list link;
    struct agent *agent;
    uint32_t number;
    struct source master;         /* our end; fd -1: hung up */
    int slave;                    /* kept open, so that a program may close and reopen it */
    int group_fd;                 /* the cgroup of everything that it has started */
    struct gb_mux_stream *stream; /* NULL: over; @kill is pending */
    struct gb_buf input;          /* not yet accepted by the terminal */
    pid_t pid;
    bool exited, finished; /* the program has exited; the final message has been sent */
    int status;
    uint32_t drained; /* bytes since the program's exit */
    struct deadline kill;
};

/* Requests from the host. */
void terminal_start(struct agent *agent, uint32_t request,
                    const struct gb_terminal_request *terminal);
void terminal_resize(struct agent *agent, uint32_t request, const struct gb_terminal_size *size);

/* For terminal streams (agent/stream.c), whose user is the terminal. */
int terminal_data(void *arg, struct gb_mux_stream *stream, struct gb_bytes bytes,
                  struct gb_err *err);
void terminal_credited(void *arg, struct gb_mux_stream *stream);
int terminal_shut(void *arg, struct gb_mux_stream *stream, struct gb_bytes word,
                  struct gb_err *err);
void terminal_ended(void *arg, struct gb_mux_stream *stream, const struct gb_err *why);

/* A child that is not a worker has exited. */
void terminal_reaped(struct agent *agent, pid_t pid, int status);
/* The port's queue has room again. */
void terminal_resume_output(struct agent *agent);

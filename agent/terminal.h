/* SPDX-License-Identifier: Apache-2.0 */
/* Programs at terminals: a pseudo terminal each, and its bytes in a stream of its own, in both
 * directions. They belong to no cell: none waits for them, and no end of a cell ends them.
 *
 * A terminal ends when the program that was started at it does: what it has printed until then is
 * sent, then the last word, and what is left of its session is hung up. Who lives on (nohup) is
 * what cells leave running, too. When the host ends its half the terminal is hung up at once, as
 * when a modem lost its carrier; whatever the terminal has started and that does not end for it is
 * killed two seconds later.
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
    struct source master; /* our end; fd -1: hung up */
    int slave;    /* kept open: a program that closes and opens it again is heard as before */
    int group_fd; /* the cgroup of all that it has started */
    struct gb_mux_stream *stream; /* NULL: over, and @kill is awaited */
    struct gb_buf input;          /* that the terminal has not taken */
    pid_t pid;
    bool exited, finished; /* the program; the last word is said */
    int status;
    uint32_t drained; /* bytes since the program's end */
    struct deadline kill;
};

/* Requests of the host. */
void terminal_start(struct agent *agent, uint32_t request,
                    const struct gb_terminal_request *terminal);
void terminal_resize(struct agent *agent, uint32_t request, const struct gb_terminal_size *size);

/* Of streams of terminals (agent/stream.c), whose user is the terminal. */
int terminal_data(void *arg, struct gb_mux_stream *stream, struct gb_bytes bytes,
                  struct gb_err *err);
void terminal_credited(void *arg, struct gb_mux_stream *stream);
int terminal_shut(void *arg, struct gb_mux_stream *stream, struct gb_bytes word,
                  struct gb_err *err);
void terminal_ended(void *arg, struct gb_mux_stream *stream, const struct gb_err *why);

/* A child that is no worker has ended. */
void terminal_reaped(struct agent *agent, pid_t pid, int status);
/* The port's queue has room again. */
void terminal_resume_output(struct agent *agent);

/* SPDX-License-Identifier: Apache-2.0 */
/* The agent: PID 1 of the guest, a single thread that runs everything on the guest side.
 *
 * Theory of operation
 *
 *   host  <- frames ->  port.c -> service.c  - EXEC, INTERRUPT --------------> cell.c
 *                                            - COMPLETE, IS_COMPLETE ---------> query.c
 *                                            - FILE_… ------------------------> files.c
 *                                            - CONFIGURE, STAT, RESUME --------> system.c
 *                                            - TERMINAL, RESIZE -------------> terminal.c
 *                       -> stream.c  <- stdout, stderr - output.c, - stdin -> cell.c
 *                                      - upload -> upload.c, <- download - download.c
 *   cell.c, query.c  <- control channels ->  worker.c  (kernel, process, shell)
 *   cell.c  <- pipes -  whatever the code and its children write
 *
 * A round of the loop collects what is ready, handlers add frames to the port's queue, and the end
 * of the round writes the queue: what belongs together is sent together. Work that nobody waits for
 * (closing the last cell's pipes, creating those of the next) is done after that write.
 *
 * Nothing blocks. Backpressure reaches from the host to the program: a stream without credit or a
 * full queue stops the reading of the cells' pipes, which blocks the program.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/list.h"
#include "cell.h"
#include "cgroup.h"
#include "files.h"
#include "init.h"
#include "limit.h"
#include "listening.h"
#include "loop.h"
#include "netd/netd.h"
#include "port.h"
#include "query.h"
#include "sandbox.h"
#include "service.h"
#include "stream.h"
#include "terminal.h"
#include "worker.h"

struct agent {
    struct loop loop;
    struct boot boot;
    struct cgroup cgroup;
    struct sandbox sandbox;
    struct port port;
    struct gb_mux mux; /* of the port */

    struct worker kernel;  /* the session's interpreter, always running or starting */
    struct worker process; /* a new one for each cell of mode process, else DOWN */
    struct worker shell;   /* bash next to it, from its first cell on */
    struct queries queries;

    struct cell *cell;        /* the one that waits, runs or drains; else NULL */
    struct cell *ended;       /* DONE is in the queue; the rest has to be cleaned up */
    struct cell *next;        /* prepared: its pipes exist and are watched */
    struct gb_list lingering; /* ended cells whose pipes are still held by a process */
    unsigned lingering_count;
    int null_fd; /* /dev/null */

    struct netd netd;
    struct listening listening;
    struct gb_list terminals; /* struct terminal */
    unsigned terminal_count;

    struct files files;
    uint64_t reserve; /* memory reserved against what the agent itself writes */

    struct source children; /* signalfd: SIGCHLD */
    struct deadline reap_again;
    struct source uevents; /* until the port has been found */
    struct source oom;     /* memory.events */
    struct limit limit;
    uint64_t oom_kills;           /* last value of limit_kills() */
    uint64_t cpu_seen, peak_seen; /* the group's values after the last cell */
    struct deadline restart;      /* latest restart of the kernel worker after a failed start */

    struct gb_buf env; /* the session's, as encoded pairs */
    uint32_t env_count;
    uint32_t settings;     /* how many times CONFIGURE came */
    uint32_t configure_id; /* request waiting for the worker's SETTLED, 0: none */
    uint32_t prepare_id;   /* request waiting for the worker's PREPARED, 0: none */
    bool greeted;          /* HELLO has been sent */
    bool ready_waits;      /* READY is delayed until the previous cell has ended */
    bool finishing;        /* the final cell has come: no worker is needed after it */
};

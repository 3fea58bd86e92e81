/* SPDX-License-Identifier: Apache-2.0 */
/* The agent: PID 1 of the guest, the one thread that everything of the guest side hangs on.
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
 * One round of the loop gathers what is ready, handlers add frames to the port's queue, and the end
 * of the round writes the queue out: what belongs together leaves together. Work that nobody waits
 * for (closing the pipes of the last cell, making those of the next) comes after that write.
 *
 * Nothing blocks. Back-pressure runs from the host to the program: a window without room or a full
 * queue stops the reading of the cells' pipes, which stops the program.
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

    struct worker kernel;  /* the session's interpreter, always there or starting */
    struct worker process; /* a fresh one for a cell of mode process, else down */
    struct worker shell;   /* bash beside it, from its first cell on */
    struct queries queries;

    struct cell *cell;        /* the one that waits, runs or drains; else NULL */
    struct cell *ended;       /* its DONE is in the queue, its rest is to be taken apart */
    struct cell *next;        /* prepared: pipes made and watched */
    struct gb_list lingering; /* ended cells whose pipes somebody still holds */
    unsigned lingering_count;
    int null_fd; /* /dev/null */

    struct netd netd;
    struct gb_list terminals; /* struct terminal */
    unsigned terminal_count;

    struct files files;
    uint64_t reserve; /* of memory, against what the agent itself writes */

    struct source children; /* signalfd: SIGCHLD */
    struct deadline reap_again;
    struct source uevents; /* until the port has been found */
    struct source oom;     /* memory.events */
    struct limit limit;
    uint64_t oom_kills;           /* of limit_kills() */
    uint64_t cpu_seen, peak_seen; /* the group's figures after the last cell */
    struct deadline restart;      /* of the kernel worker after a failed start: at the latest */

    struct gb_buf env; /* the session's, as encoded pairs */
    uint32_t env_count;
    uint32_t settings;     /* how often CONFIGURE came */
    uint32_t configure_id; /* request that waits for the worker's SETTLED, 0: none */
    uint32_t prepare_id;   /* request that waits for the worker's PREPARED, 0: none */
    bool greeted;          /* HELLO has been said */
    bool ready_waits;      /* READY, for the end of the cell before */
    bool finishing;        /* the final cell has come: no worker is needed after it */
};

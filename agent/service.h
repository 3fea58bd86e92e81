/* SPDX-License-Identifier: Apache-2.0 */
/* Requests from the host, and reports to it: dispatches frames to modules, and turns workers'
 * events into frames. */
#pragma once

struct agent;
struct port_owner;
struct worker;

/* Serves the frames of the host; says HELLO when its end is open, and READY where that is so. */
extern const struct port_owner service_port;

/* The end of the running cell has been reported. */
void service_cell_ended(struct agent *agent);

/* Events from the workers. */
void service_worker_ready(struct agent *agent, struct worker *worker);
void service_worker_settled(struct agent *agent, struct worker *worker);
void service_worker_prepared(struct agent *agent, struct worker *worker);
void service_worker_gone(struct agent *agent, struct worker *worker);

/* A start failed before READY. The session's worker is restarted when all of the user's remaining
 * processes have ended; if that fails too, the machine is useless. */
void service_start_failed(struct agent *agent, struct worker *worker);

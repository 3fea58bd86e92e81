/* SPDX-License-Identifier: Apache-2.0 */
/* What the host asks for, and what it is told: frames to modules, workers' lives to frames. */
#pragma once

struct agent;
struct port;
struct gb_frame;
struct worker;

/* Serves one frame of the host. */
void service_frame(struct port *port, const struct gb_frame *frame);

/* The host has opened its end: says HELLO, and READY where that is so. */
void service_connected(struct port *port);

/* The port's queue has room again. */
void service_drained(struct port *port);

/* The cell that ran has been told to have ended. */
void service_cell_ended(struct agent *agent);

/* News of the workers. */
void service_worker_ready(struct agent *agent, struct worker *worker);
void service_worker_settled(struct agent *agent, struct worker *worker);
void service_worker_prepared(struct agent *agent, struct worker *worker);
void service_worker_gone(struct agent *agent, struct worker *worker);

/* A start ended before READY. The session's worker is tried again when everything that the user
 * still runs has ended; when that does not help either, the machine is of no use. */
void service_start_failed(struct agent *agent, struct worker *worker);

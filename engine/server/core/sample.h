/* SPDX-License-Identifier: Apache-2.0 */
/* Resource usage of the VMs and the host, sampled on demand.
 *
 * Theory of operation. Sampling a VM takes a millisecond or so, and there may be a thousand. So no
 * request waits for all of them: a *pass* samples the VMs with the oldest values, a few per tick,
 * until each has been sampled since the pass began. Every reader starts a pass, so that with any
 * number of VMs the values stay only seconds old while somebody keeps reading them.
 */
#pragma once

#include <stdint.h>

#include "model/session.h"
#include "model/stats.h"
#include "rpc/json.h"

struct gb_server;
struct gb_vm_sample;
struct hosted;

void sample_init(struct gb_server *server);
void sample_release(struct gb_server *server);

/* Called by readers of all VMs: samples some of the oldest now, and starts a pass so that all are
 * sampled soon. */
void sample_look(struct gb_server *server);
/* Starts a pass now, even if one has just started. */
void sample_pass(struct gb_server *server);

/* Until when sessions may still be sampled for one reply (monotonic). */
uint64_t sample_budget(void);
/* The usage of its VM (gb_vm_look(); @until_ns 0: does not sample); NULL without a VM. */
const struct gb_vm_sample *sample_of(struct hosted *hosted, uint64_t until_ns);
/* Fills in its memory and CPU time, where known. */
void sample_describe(struct gb_session_info *info, struct hosted *hosted, uint64_t until_ns);
/* What is known about the host; and the same as `host`. */
void sample_describe_host(struct gb_host_info *info);
void sample_put_host(struct gb_json_out *out);

/* SPDX-License-Identifier: Apache-2.0 */
/* What VMs and the host use, for whoever looks.
 *
 * Theory of operation. Reading the figures of a VM takes a millisecond or so, and there may be a
 * thousand. So no request waits for all of them: a *pass* reads those that have waited
 * longest, a few a tick, until each has been read since the pass began. Who looks begins one, so
 * that however many VMs there are, each has figures that are seconds old while somebody goes on
 * looking.
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

/* Somebody looks at the figures of all VMs: reads some of them now, those that are oldest, and sees
 * to it that all are read soon. */
void sample_look(struct gb_server *server);
/* Begins a pass now, though one may have begun just before. */
void sample_pass(struct gb_server *server);

/* Until when the figures of one session may be read for a reply (monotonic). */
uint64_t sample_budget(void);
/* What its VM takes of the host (gb_vm_look(); @until_ns 0: nothing is read); NULL without a VM. */
const struct gb_vm_sample *sample_of(struct hosted *hosted, uint64_t until_ns);
/* Fills in what is known of its memory and of the time of its CPUs. */
void sample_describe(struct gb_session_info *info, struct hosted *hosted, uint64_t until_ns);
/* What is known of the host; and the same as `host`. */
void sample_describe_host(struct gb_host_info *info);
void sample_put_host(struct gb_json_out *out);

/* SPDX-License-Identifier: Apache-2.0 */
/* Transfers device state between QEMU and a file of ours. QEMU never gets the file itself: it can
 * neither keep it open nor write to it outside a save. QEMU's monitor reports when everything has
 * been written or read. */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "loop/loop.h"

/* Device state takes some 12 KB. */
enum { STATE_MAX = 8 << 20, STATE_PIECE = 64 * 1024 };

/* From QEMU, for all saves of a VM: an unnamed file in memory. QEMU's descriptor for it stays in a
 * descriptor set of QEMU's monitor, which does not release any while the guest is stopped. (A pipe
 * does not work: QEMU truncates what it opens.) */
struct state_sink;

int state_sink_new(struct state_sink **ret_sink, struct gb_err *err); /* gives */
/* The descriptor to hand to QEMU once, write-only. Borrows from @sink. */
int state_sink_fd(const struct state_sink *sink);
/* Call it before each save: empties the file and resets QEMU's offset. */
int state_sink_begin(struct state_sink *sink, struct gb_err *err);
/* QEMU has written everything: moves it to @file. GB_ETOOLARGE: more than STATE_MAX. */
int state_sink_take(struct state_sink *sink, int file, struct gb_err *err);
/* No-op on NULL. */
void state_sink_free(struct state_sink *sink);

/* Into QEMU, once: a whole file, in pieces, as fast as QEMU reads them. */
struct state_feed;

/* Borrows @file for the feed's life. *@ret_fd: QEMU's end. Gives both. If the file cannot be read
 * the state ends early, and QEMU refuses it. */
int state_feed_new(struct gb_loop *loop, int file, struct state_feed **ret_feed, int *ret_fd,
                   struct gb_err *err);
/* No-op on NULL. */
void state_feed_free(struct state_feed *feed);

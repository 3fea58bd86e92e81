/* SPDX-License-Identifier: Apache-2.0 */
/* Device state on its way between QEMU and a file of ours. QEMU never holds the file: it can
 * neither keep it open nor write to it beside a save. QEMU's monitor tells when all has been
 * written or read.
 */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "loop/loop.h"

/* Device state takes some 12 KB. */
enum { STATE_MAX = 8 << 20, STATE_PIECE = 64 * 1024 };

/* Out of QEMU, for all saves of a VM: a nameless file in memory. QEMU's descriptor for it stays in
 * a set of QEMU's monitor, which gives none back while the guest stands still. (A pipe will not do:
 * QEMU truncates what it opens.) */
struct state_sink;

int state_sink_new(struct state_sink **ret_sink, struct gb_err *err); /* gives */
/* What QEMU is to be handed once, for writing only. Borrows from @sink. */
int state_sink_fd(const struct state_sink *sink);
/* Before each save: QEMU's descriptor is at the beginning of an empty file. */
int state_sink_begin(struct state_sink *sink, struct gb_err *err);
/* QEMU has written everything: puts it into @file, and keeps nothing. GB_ETOOLARGE: it is more than
 * STATE_MAX. */
int state_sink_take(struct state_sink *sink, int file, struct gb_err *err);
/* Accepts NULL. */
void state_sink_free(struct state_sink *sink);

/* Into QEMU, once: all of a file, in pieces, as QEMU takes them. */
struct state_feed;

/* Borrows @file for the feed's life. *@ret_fd: QEMU's end. Both: gives. A file that cannot be read
 * ends the state early, and QEMU refuses it. */
int state_feed_new(struct gb_loop *loop, int file, struct state_feed **ret_feed, int *ret_fd,
                   struct gb_err *err);
/* Accepts NULL. */
void state_feed_free(struct state_feed *feed);

/* SPDX-License-Identifier: Apache-2.0 */
/* Saves a VM whose memory is in a file (GB_RAM_SHARED_FILE): brings it to rest and writes its
 * device state to a second file.
 *
 * All functions: loop thread only. No callback is made from within a call. */
#pragma once

#include "guest/guest.h"

/* Embed it, zeroed; do not touch its members. Must live until @done. */
struct gb_snapshot_save {
    struct gb_guest *guest;
    char *state_path;
    gb_vm_done_fn *done;
    void *arg;
};

/* Brings @guest (borrowed) to rest, where it stays, and writes its device state to @state_path.
 * Calls @done once, from the loop, also if the VM dies meanwhile. */
void gb_snapshot_save(struct gb_snapshot_save *save, struct gb_guest *guest, const char *state_path,
                      gb_vm_done_fn *done, void *arg);

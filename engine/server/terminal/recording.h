/* SPDX-License-Identifier: Apache-2.0 */
/* Recordings of terminals, as files in the format asciicast v2 (docs/terminals.md).
 *
 * What a program prints is not recorded, but what a terminal that shows its grid is sent: a
 * recording contains only text, colours, cursor movements and modes from a short list, so it may be
 * played on a person's terminal. What is typed is not recorded.
 *
 * Bounds: bytes per recording ([terminals] record_size), and of all together (record_total): the
 * oldest are removed, those being written stay. Events wait in memory for up to 2 s or 64 KiB.
 * Files are written on the loop, at most 64 KiB at a time, as the journal does while it is idle.
 */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/list.h"
#include "loop/loop.h"
#include "model/answer.h"
#include "settings/settings.h"
#include "vt/vt.h"

/* Of one server. */
struct recording_folder {
    struct gb_loop *loop;
    const struct gb_settings_terminals *settings; /* borrowed; may change at any time */
    int fd;                                       /* -1: nothing is recorded */
    struct gb_list casts;                         /* being written */
    bool told;                                    /* that something cannot be recorded */
};

struct recording_config {
    struct gb_bytes session; /* its id */
    uint32_t number;
    const char *const *args; /* of the program; none: the user's shell */
    size_t arg_count;
    uint64_t started_at_ns; /* wall clock */
};

/* @path is created; NULL: nothing is recorded. A folder that cannot be used is reported in the
 * log. */
void recording_folder_open(struct recording_folder *folder, struct gb_loop *loop, const char *path,
                           const struct gb_settings_terminals *settings);
void recording_folder_close(struct recording_folder *folder);

struct recording;

/* Begins a recording; NULL: it is turned off, or not possible. Gives. */
struct recording *recording_new(struct recording_folder *folder,
                                const struct recording_config *config, const struct gb_vt *vt);
/* Adds what has changed since. No-op on NULL. */
void recording_paint(struct recording *recording, const struct gb_vt *vt);
/* Completes and frees it. No-op on NULL. */
void recording_end(struct recording *recording);

/* Reads a piece of a recording, including what waits in memory, into @ret_data. @session: its id,
 * which may have any content. GB_ENOTFOUND. */
int recording_read(struct recording_folder *folder, struct gb_bytes session, uint32_t number,
                   uint64_t offset, size_t length, struct gb_buf *ret_data,
                   struct gb_piece_info *ret_piece, struct gb_err *err);

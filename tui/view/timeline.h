/* SPDX-License-Identifier: Apache-2.0 */
/* The past of a session as a list of moments that one moves in: next to it the cells that led to
 * the moment under the cursor, with their output, and the files that they had written.
 *
 * Theory of operation. A moment is a checkpoint (trail.h); the last row is the present. The cells
 * are those of the session's view: a second stream shows only the ones that led to the moment, so
 * moving costs the server nothing. Files are known from what each cell changed. To read them as
 * they were, the session is forked at that moment: the fork is bound to our connection, and is
 * closed when the user leaves it; its files are shown by files.h, like those of any session.
 */
#pragma once

#include "view/files.h"
#include "view/stream.h"
#include "view/trail.h"

enum { TIMELINE_FILES_MAX = 256 };

/* A file that the cells before a moment had written. */
struct timeline_file {
    const char *path; /* of a card: valid until the cells change */
    uint64_t size;
    uint32_t cell; /* that wrote it last */
};

enum timeline_look { LOOK_NONE, LOOK_OPENING, LOOK_OPEN };

struct timeline {
    uint64_t seq;  /* the moment under the cursor; 0: the present */
    uint64_t from; /* the one from which the cursor went back last: the way forward again */
    size_t top;    /* the first visible row of the list */
    int height;    /* of the list, as last arranged */
    struct stream stream;
    struct trail_way way;
    struct timeline_file files[TIMELINE_FILES_MAX];
    size_t file_count;
    bool more_files;
    /* What the above was computed from. */
    bool known;
    uint64_t known_seq, known_trail, known_cells;
    /* The fork whose files are shown. */
    enum timeline_look look;
    uint64_t look_call;
    uint64_t look_seq;
    uint32_t look_cell;
    char look_session[CELL_NAME_MAX];
    struct files look_files;
};

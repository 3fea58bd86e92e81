/* SPDX-License-Identifier: Apache-2.0 */
/* What the cells part keeps of the server, of a connection and of a session. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/list.h"
#include "journal/journal.h"
#include "journal/pace.h"
#include "server/core/connection.h"
#include "server/core/histogram.h"
#include "server/core/hosted.h"
#include "server/core/part.h"
#include "session/session.h"

extern const struct part_state cells_state;

struct cells_server {
    struct histogram exec_times, overhead_times;
    uint64_t cells; /* that have ended */
};

struct cells_connection {
    struct gb_list execs, followers;
};

/* Bytes at the end of a stream that do not make a character yet. */
struct tail {
    uint8_t bytes[4];
    uint8_t size;
};

/* The same of a finished cell, for those who watch; a free place has cell 0. */
struct watched_tail {
    uint32_t cell;
    enum gb_output stream;
    struct tail tail;
};
enum { WATCHED_TAILS = 8 };

/* What a finished cell goes on printing, kept for the next reply. */
struct background {
    uint32_t cell;
    enum gb_output stream;
    struct gb_buf bytes;
    uint64_t dropped;
};

struct cells_session {
    struct gb_list execs, followers;
    struct background *background[GB_BACKGROUND_CELLS_MAX];
    size_t background_count;
    struct watched_tail watched_tails[WATCHED_TAILS];
    bool failed; /* the last cell that ended did not end well; one that was interrupted is none */
};

/* A cell that somebody waits for, or that nobody waits for any more. It lives from the moment its
 * cell is queued until its end is recorded. */
struct exec {
    struct gb_list of_session, of_connection;
    struct hosted *hosted;
    struct connection *connection; /* NULL once it is gone */
    struct request *request;       /* NULL likewise */
    struct gb_cell *cell;
    char *client;
    bool stream, interactive, detach, run;
    bool waiting_told; /* `waiting`, as the connection knows it */
    struct tail tails[2];
    bool waiting;        /* the program waits for standard input */
    struct gb_pace pace; /* of what was told of its output */
    bool failed;         /* it has no result */
    struct gb_err err;
    bool unrecorded; /* the journal could not be written */
    struct gb_journal_ticket ticket;
};

/* A connection that hears what a cell of its own prints after its end. */
struct follower {
    struct gb_list of_session, of_connection;
    struct connection *connection;
    uint32_t cell;
    struct tail tails[2];
};

struct cells_server *cells_of_server(const struct gb_server *server);
struct cells_connection *cells_of_connection(struct connection *connection);
struct cells_session *cells_of_session(struct hosted *hosted);

/* SPDX-License-Identifier: Apache-2.0 */
/* The state of the cells part per server, connection and session. */
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
    uint64_t cells; /* ended */
};

struct cells_connection {
    struct gb_list execs, followers;
};

/* Bytes at the end of a stream that are an incomplete character. */
struct tail {
    uint8_t bytes[4];
    uint8_t size;
};

/* The same for a finished cell, for watchers; cell 0: a free slot. */
struct watched_tail {
    uint32_t cell;
    enum gb_output stream;
    struct tail tail;
};
enum { WATCHED_TAILS = 8 };

/* Output of a finished cell, kept for the next reply. */
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
    bool failed; /* the last cell that ended had failed; an interrupted one had not */
};

/* A cell in progress, whether or not a client still waits for it. It lives from when its cell is
 * queued until its end has been recorded. */
struct exec {
    struct gb_list of_session, of_connection;
    struct hosted *hosted;
    struct connection *connection; /* NULL once it has closed */
    struct request *request;       /* NULL likewise */
    struct gb_cell *cell;
    char *client;
    bool stream, interactive, detach, run;
    bool waiting_told; /* the value of `waiting` last sent to the connection */
    struct tail tails[2];
    bool waiting;        /* the program waits for standard input */
    struct gb_pace pace; /* of the output reported so far */
    bool failed;         /* it has no result */
    struct gb_err err;
    struct gb_buf note;       /* the cell's, and what parts have added at its end */
    struct rollback rollback; /* after it; checkpoint 0: none */
    bool unrecorded;          /* the journal could not be written */
    struct gb_journal_ticket ticket;
};

/* A connection that receives the output of one of its cells after the cell's end. */
struct follower {
    struct gb_list of_session, of_connection;
    struct connection *connection;
    uint32_t cell;
    struct tail tails[2];
};

struct cells_server *cells_of_server(const struct gb_server *server);
struct cells_connection *cells_of_connection(struct connection *connection);
struct cells_session *cells_of_session(struct hosted *hosted);

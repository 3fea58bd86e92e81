/* SPDX-License-Identifier: Apache-2.0 */
/* A client connection: lines in, lines out, and the two conditions that pause reading. */
#pragma once

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/list.h"
#include "loop/loop.h"
#include "rpc/json.h"

struct gb_server;

/* Members are read-only for callers, except `doc`. */
struct connection {
    struct gb_list link; /* in server->connections */
    struct gb_server *server;
    struct gb_stream *stream;
    struct gb_buf *input; /* of the stream; set with the first byte */
    size_t scanned;       /* bytes of the input known to contain no newline */
    size_t line_bytes;    /* of the input, as accounted by the server */
    uint64_t read_ns;     /* when data last arrived */
    bool skipping;        /* discarding the rest of a refused line */
    bool full;            /* too many unsent bytes */
    bool braked;          /* a part has paused reading from it */
    bool closed;
    bool own; /* of this process: what it has not sent whole counts towards no limit of others */
    pid_t pid;
    uint64_t number;         /* 1, 2, … per server */
    char *client;            /* its name from `hello`; NULL */
    struct gb_list requests; /* counted by request.c */
    size_t request_count, request_bytes;
    struct gb_deferred resume;
    struct gb_json_doc doc; /* of the line being dispatched */
    alignas(max_align_t) char part_memory[];
};

/* Handlers for a connection's lines. */
struct connection_handlers {
    /* One line, without its newline; may be modified. */
    void (*line)(struct connection *connection, uint8_t *line, size_t size);
    /* The line being read is too long. */
    void (*too_long)(struct connection *connection);
    /* The unfinished lines of all connections are too long together, and this one goes. */
    void (*too_many)(struct connection *connection);
    /* It is about to close: drop its requests. */
    void (*closing)(struct connection *connection);
};

/* Takes @fd. @own: of this process. */
void connection_new(struct gb_server *server, int fd, pid_t pid, bool own);
/* Frees it with all its requests; queued data is still sent. */
void connection_close(struct connection *connection);
/* Sends a line; moves the content of @line. */
void connection_send(struct connection *connection, struct gb_buf *line);
/* Stops reading from it until the same part calls this with false. */
void connection_brake(struct connection *connection, bool on);
/* Describes the client. */
void connection_name(struct connection *connection, struct gb_bytes name);
/* Whether both names are the same client's: equal, or both NULL. */
bool client_is_same(const char *a, const char *b);

/* SPDX-License-Identifier: Apache-2.0 */
/* A client: lines in, lines out, and the two brakes on reading. */
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

/* Read the members, and set none but `doc`. */
struct connection {
    struct gb_list link; /* in server->connections */
    struct gb_server *server;
    struct gb_stream *stream;
    struct gb_buf *input; /* the stream's; set with the first byte */
    size_t scanned;       /* bytes of the input that hold no newline */
    size_t line_bytes;    /* of the input, as the server counts them */
    uint64_t read_ns;     /* when something came last */
    bool skipping;        /* the rest of a line that was refused */
    bool full;            /* too many unsent bytes */
    bool braked;          /* a part wants nothing more of it for now */
    bool closed;
    pid_t pid;
    uint64_t number;         /* 1, 2, … in this server */
    char *client;            /* as `hello` said; NULL */
    struct gb_list requests; /* request.c counts them */
    size_t request_count, request_bytes;
    struct gb_deferred resume;
    struct gb_json_doc doc; /* of the line that is being dispatched */
    alignas(max_align_t) char part_memory[];
};

/* What becomes of a connection's lines. */
struct connection_handlers {
    /* One line, without its newline; its bytes are changed. */
    void (*line)(struct connection *connection, uint8_t *line, size_t size);
    /* The line that is being read is refused. */
    void (*too_long)(struct connection *connection);
    void (*too_many)(struct connection *connection);
    /* It is about to go: drops its requests. */
    void (*closing)(struct connection *connection);
};

/* Takes @fd. */
void connection_new(struct gb_server *server, int fd, pid_t pid);
/* Frees it with all its requests; what is queued is still sent. */
void connection_close(struct connection *connection);
/* Sends a line; takes the content of @line. */
void connection_send(struct connection *connection, struct gb_buf *line);
/* Nothing more is read from it, until the part that wants this takes it back. */
void connection_brake(struct connection *connection, bool on);
/* Says who it is. */
void connection_name(struct connection *connection, struct gb_bytes name);
/* Whether both names are one client's: the same, or none (NULL) both. */
bool client_is_same(const char *a, const char *b);

/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the MCP server share. */
#pragma once

#include "base/list.h"
#include "mcp/message.h"
#include "mcp/server.h"

enum { CALLS_MAX = 64, QUEUED_MAX = 1u << 20 };

/* A batch of requests (2025-03-26 only): its answers go out as one array. */
struct batch {
    struct gb_buf answers;
    size_t left; /* requests that were not answered yet, and one while it is being read */
};

enum log_level {
    LEVEL_DEBUG,
    LEVEL_INFO,
    LEVEL_NOTICE,
    LEVEL_WARNING,
    LEVEL_ERROR,
    LEVEL_CRITICAL,
    LEVEL_ALERT,
    LEVEL_EMERGENCY,
    LEVEL_COUNT
};

extern const char *const log_level_names[LEVEL_COUNT];

struct mcp_server {
    struct gb_loop *loop;
    struct mcp_config config;
    struct gb_buf input;
    size_t scanned; /* of the input, without a newline */
    bool skipping;  /* the rest of a line that was too long */
    struct gb_json_doc doc;
    bool initialized; /* there was an `initialize` */
    enum revision revision;
    enum log_level level;
    char client[128]; /* "name version" of the one that initialized */
    struct gb_list calls;
    size_t call_count;
};

/* The request that is being served. */
struct request {
    struct mcp_server *server;
    const struct message *message;
    enum revision revision;
    enum log_level level; /* LEVEL_COUNT: nothing is logged */
    struct batch *batch;  /* or NULL */
    char client[128];     /* "name version", as far as it said */
};

/* Sends an answer, by itself or into its batch. */
void server_answer(struct mcp_server *server, struct batch *batch, struct gb_buf *line);
/* A request of @batch needs no answer any more. Accepts NULL. */
void batch_done(struct mcp_server *server, struct batch *batch);

/* tools/call. */
void call_start(struct request *request);
/* subscriptions/listen: acknowledged, and open until it is cancelled. */
void call_listen(struct request *request);
/* A call that is under way, by its id; NULL when there is none. */
struct call *call_find(struct mcp_server *server, struct gb_bytes id);
/* Ends it without an answer. */
void call_cancel(struct call *call);
void call_cancel_all(struct mcp_server *server);

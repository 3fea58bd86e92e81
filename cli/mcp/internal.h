/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of the MCP server. */
#pragma once

#include "base/list.h"
#include "mcp/message.h"
#include "mcp/server.h"

enum { CALLS_MAX = 64, QUEUED_MAX = 1u << 20 };

/* A batch of requests (2025-03-26 only): its answers are sent as one array. */
struct batch {
    struct gb_buf answers;
    size_t left; /* unanswered requests, plus one while the batch is being read */
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
    bool skipping;  /* discarding the rest of a line that was too long */
    struct gb_json_doc doc;
    bool initialized; /* `initialize` was received */
    enum revision revision;
    enum log_level level;
    char client[128]; /* "name version" of the client that initialized */
    struct gb_list calls;
    size_t call_count;
};

/* A request in progress. */
struct request {
    struct mcp_server *server;
    const struct message *message;
    enum revision revision;
    enum log_level level; /* LEVEL_COUNT: nothing is logged */
    struct batch *batch;  /* or NULL */
    char client[128];     /* "name version", as far as given */
};

/* Sends an answer, or adds it to its batch. */
void server_answer(struct mcp_server *server, struct batch *batch, struct gb_buf *line);
/* A request of @batch no longer needs an answer. No-op if @batch is NULL. */
void batch_done(struct mcp_server *server, struct batch *batch);

/* tools/call. */
void call_start(struct request *request);
/* subscriptions/listen: acknowledged, then open until it is cancelled. */
void call_listen(struct request *request);
/* A call in progress, by its id; NULL if there is none. */
struct call *call_find(struct mcp_server *server, struct gb_bytes id);
/* Ends it without an answer. */
void call_cancel(struct call *call);
void call_cancel_all(struct mcp_server *server);

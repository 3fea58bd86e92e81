/* SPDX-License-Identifier: Apache-2.0 */
/* A part of the server: one feature, as the core sees it.
 *
 * Theory of operation. The core (connections, requests, the registry of sessions, the server's
 * life) knows no feature. It walks the list of parts at each point where a feature may have
 * something to do: the *hooks* below. Each is called in the order of the list, except where a
 * connection is taken down: that goes backwards. Any hook may be NULL.
 *
 * What a part remembers of the server, of a connection or of a session is its *state*: the part
 * says how many bytes it needs, the core allocates them zeroed together with the object and frees
 * them with it. The part finds them with part_of_…().
 *
 * Parts do not call each other. Where one needs to know what another decides, there is a hook for
 * it (`gate`, `put_reply`, `record_cell`), so that the server is complete without the other one.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "rpc/json.h"
#include "rpc/methods.h"
#include "session/session.h"

struct connection;
struct gb_server;
struct hosted;
struct request;

/* Answers @request at once or keeps it; see struct request. @params borrow from the line. */
typedef void handler_fn(struct request *request, const struct gb_params *params);

/* A method of the table in rpc/methods.h, and who answers it. */
struct method_handler {
    const char *name;
    handler_fn *handle;
};

/* A cell that has been read and checked and is not queued yet, because somebody else holds the
 * session. Its maker frees it: in `start` and in `drop`. */
struct held_cell {
    struct request *request;
    struct hosted *hosted;
    uint64_t wait_ms;                      /* how long it may be held */
    void (*start)(struct held_cell *cell); /* queues it, or answers the request with why not */
    void (*drop)(struct held_cell *cell);  /* the request has been answered, or is gone */
};

/* Who may run cells in a session. */
struct gate {
    /* Whether cells of this connection have to wait or are refused now. */
    bool (*is_shut)(struct hosted *hosted, const struct connection *connection);
    /* Answers the request with who holds the session. */
    void (*refuse)(struct request *request, struct hosted *hosted);
    /* Takes @cell, and starts or refuses it later. Sets the request's `abandon` and `arg`. */
    void (*hold)(struct held_cell *cell);
};

struct gb_part {
    const char *name;
    const struct method_handler *methods; /* ends with a name that is NULL; NULL: none */
    size_t server_size, connection_size, session_size; /* of its state */

    /* ---- the server's life ---- */
    void (*server_new)(struct gb_server *server);
    void (*server_free)(struct gb_server *server);

    /* ---- connections ---- */
    void (*connection_new)(struct connection *connection);
    /* It is about to go, and its requests are still there. Backwards. */
    void (*connection_closing)(struct connection *connection);
    /* Its requests are gone, and it goes after this. Backwards. */
    void (*connection_closed)(struct connection *connection);

    /* ---- sessions ---- */
    void (*session_new)(struct hosted *hosted);
    /* Everything in it has ended, and it goes after this. */
    void (*session_ended)(struct hosted *hosted, const struct gb_err *why);

    /* ---- cells ---- */
    const struct gate *gate;
    /* How many cells of that client (NULL: of those without a name) it keeps under way. */
    size_t (*cells_of)(struct hosted *hosted, const char *client);

    /* ---- what is told ---- */
    /* Members of a session object. */
    void (*put_session)(struct gb_json_out *out, struct hosted *hosted);
    /* Members of the reply to a cell that @connection sent. */
    void (*put_reply)(struct gb_json_out *out, struct hosted *hosted,
                      const struct connection *connection);
};

/* All of the server's, in order; ends with NULL. */
extern const struct gb_part *const gb_server_parts[];

/* The part's state. NULL when the server was built without it. */
void *part_of_server(const struct gb_server *server, const struct gb_part *part);
void *part_of_connection(struct connection *connection, const struct gb_part *part);
void *part_of_session(struct hosted *hosted, const struct gb_part *part);

/* ---- for the core ---- */

enum { PARTS_MAX = 16 };

/* Bytes, or offsets in bytes. */
struct part_sizes {
    size_t server, connection, session;
};

/* Walks the parts that have the hook @hook_. */
#define PART_FOREACH(at, server_, hook_)                                                           \
    for ((at) = (server_)->parts; *(at) != NULL; (at)++)                                           \
        if ((*(at))->hook_ != NULL)

/* Calls the hook of each part that has it, in order. */
#define PART_CALL(server_, hook_, ...)                                                             \
    do {                                                                                           \
        const struct gb_part *const *at_;                                                          \
                                                                                                   \
        PART_FOREACH(at_, server_, hook_)                                                          \
        (*at_)->hook_(__VA_ARGS__);                                                                \
    } while (0)

/* The same backwards. */
#define PART_CALL_BACKWARDS(server_, hook_, ...)                                                   \
    do {                                                                                           \
        for (size_t at_ = (server_)->part_count; at_-- > 0;)                                       \
            if ((server_)->parts[at_]->hook_ != NULL)                                              \
                (server_)->parts[at_]->hook_(__VA_ARGS__);                                         \
    } while (0)

/* Says where the state of each of @parts lies, and allocates the server's. */
void part_layout(struct gb_server *server, const struct gb_part *const *parts);
/* The first gate that is shut to this connection; NULL: it may run cells. */
const struct gate *part_shut_gate(struct hosted *hosted, const struct connection *connection);
/* Cells of that client that all parts keep under way. */
size_t part_cells_of(struct hosted *hosted, const char *client);

/* SPDX-License-Identifier: Apache-2.0 */
/* A part of the server: one feature, as the core sees it.
 *
 * Theory of operation. The core (connections, requests, the registry of sessions, the server's
 * life) knows no feature. It walks the list of parts at each point where a feature may have
 * something to do: the *hooks* below. They are called in the order of the list, except where a
 * connection is taken down: that goes backwards. Any hook may be NULL.
 *
 * What a part remembers of the server, of a connection or of a session is its *state*: the part
 * says how many bytes it needs, the core allocates them zeroed together with the object and frees
 * them with it. The part finds them with part_of_…().
 *
 * Parts do not call each other. Where one needs to know what another decides or keeps, there is a
 * hook for it (`gate`, `record_cell`, `describe_stats`), so that the server is complete without the
 * other one. The exception is history, which writes cells as cells/describe.h does.
 *
 * The list is made by the build: GB_SERVER_PARTS in engine/CMakeLists.txt. A session's end is told
 * in its order, so what tells others of it (history, watch) stands behind what still changes it
 * (files, lease, cells).
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
struct event;
struct gb_journal_ticket;
struct gb_cell_info;
struct gb_session_info;
struct gb_stats_info;
struct gb_server;
struct hosted;
struct request;

/* Answers @request at once or keeps it; see request.h. @params borrow from the line. */
typedef void handler_fn(struct request *request, const struct gb_params *params);

/* A method of the tables in engine/rpc, and who answers it. */
struct method_handler {
    const char *name;
    handler_fn *handle;
};

/* A cell that has been read and checked and is not queued yet, because another client holds the
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

/* Which sessions a watcher wants to hear of. */
struct session_filter {
    bool (*covers)(const struct session_filter *filter, const char *session);
};

/* How large a part's state is; also the name by which it is found. In bytes. */
struct part_state {
    size_t server, connection, session;
};

struct gb_part {
    const char *name;
    const struct method_handler *methods; /* ends with a name that is NULL; NULL: none */
    const char *const *event_kinds;       /* that it tells; ends with NULL; NULL: none */
    const struct part_state *state;       /* NULL: none */

    /* ---- the server's life ---- */
    void (*server_new)(struct gb_server *server);
    /* The socket is there, and nobody comes in yet. A failure is the server's. */
    int (*server_start)(struct gb_server *server, struct gb_err *err);
    void (*server_free)(struct gb_server *server);

    /* ---- connections ---- */
    void (*connection_new)(struct connection *connection);
    /* It has so many unsent bytes that it is not read, or no longer. */
    void (*connection_full)(struct connection *connection, bool full);
    /* Bytes have left. */
    void (*connection_sent)(struct connection *connection);
    /* It is about to go, and its requests are still there. Backwards. */
    void (*connection_closing)(struct connection *connection);
    /* Its requests are gone, and it goes after this. Backwards. */
    void (*connection_closed)(struct connection *connection);

    /* ---- sessions ---- */
    /* Whether a session can be opened as `session.open` or `run` asks; then what is asked of the
     * part is kept with it. */
    int (*check_open)(struct gb_server *server, const struct gb_params *params, struct gb_err *err);
    void (*take_open)(struct hosted *hosted, const struct gb_params *params);
    /* It is in the registry; its VM has not been asked for. */
    void (*session_new)(struct hosted *hosted);
    /* Its guest is there, and no cell has been sent to it: what is asked of it now comes first. */
    void (*session_opened)(struct hosted *hosted);
    /* It is open, and its state or the number of its cells has changed. */
    void (*session_changed)(struct hosted *hosted);
    /* Requests and files were under way in it, and nothing is any more. */
    void (*session_rested)(struct hosted *hosted);
    /* Whether the session can be kept as it is and taken back: not when what the part has of it
     * outside of the VM would not come along. GB_ENOPAST, and why. */
    int (*check_past)(struct hosted *hosted, struct gb_err *err);
    /* It was taken back, or forward again: these of its cells are undone now (model/undone.h). */
    void (*session_rewound)(struct hosted *hosted, struct gb_bytes undone);
    /* What a cell that has ended still prints. */
    void (*session_output)(struct hosted *hosted, uint32_t cell, enum gb_output stream,
                           struct gb_bytes bytes);
    /* Everything in it has ended, and it goes after this. */
    void (*session_ended)(struct hosted *hosted, const struct gb_err *why);
    /* Why there is no session with this id, of which the core knows nothing: true when @err was
     * set. */
    bool (*explain_missing)(struct gb_server *server, struct gb_bytes id, struct gb_err *err);

    /* ---- cells ---- */
    const struct gate *gate;
    /* How many cells of that client (NULL: of those without a name) it keeps under way. */
    size_t (*cells_of)(struct hosted *hosted, const char *client);
    void (*cell_started)(struct hosted *hosted, const struct gb_cell_info *cell);
    /* Records a cell that has ended: 0, and the ticket will be done; 1: it is recorded; negative:
     * it cannot be. As gb_journal_cell(). */
    int (*record_cell)(struct hosted *hosted, const struct gb_cell_info *cell,
                       struct gb_journal_ticket *ticket);

    /* ---- capacity ---- */
    void (*pool_changed)(struct gb_server *server);

    /* ---- events ---- */
    /* Whether anybody wants events of this kind (a string of `event_kinds`) of that session (NULL:
     * of none). */
    bool (*wants_event)(struct gb_server *server, const char *kind, const char *session);
    void (*tell_event)(const struct event *event);
    /* Writes events for the new watcher @to by event_begin_for(): what happened before. */
    void (*replay)(struct hosted *hosted, void *to);

    /* ---- what is told ---- */
    /* Fills in what it knows of a session that is to be told. */
    void (*describe_session)(struct gb_session_info *info, struct hosted *hosted);
    /* Members of a snapshot. */
    void (*put_snapshot)(struct gb_json_out *out, struct gb_server *server,
                         const struct session_filter *filter);
    /* Members of the reply to a cell that @connection sent. */
    void (*put_reply)(struct gb_json_out *out, struct hosted *hosted,
                      const struct connection *connection);
    /* Fills in its members of `stats`. */
    void (*describe_stats)(struct gb_stats_info *info, const struct gb_server *server);
    /* Elements of session.list for sessions that have ended; false when it is not asked for them.
     */
    bool (*list_ended)(struct gb_json_out *out, struct gb_server *server,
                       const struct gb_params *params);
};

/* The part's state in that object. */
void *part_of_server(const struct gb_server *server, const struct part_state *state);
void *part_of_connection(struct connection *connection, const struct part_state *state);
void *part_of_session(struct hosted *hosted, const struct part_state *state);

/* ---- walking the list ---- */

enum { PARTS_MAX = 16 };

/* Walks the parts that have the hook @hook_. */
#define PART_FOREACH(at, server_, hook_)                                                           \
    for ((at) = (server_)->parts; *(at) != NULL; (at)++)                                           \
        if ((*(at))->hook_ != NULL)

/* Calls the hook of each part that has it, in order. */
#define PART_CALL(server_, hook_, ...)                                                             \
    do {                                                                                           \
        const struct gb_part *const *part_;                                                        \
                                                                                                   \
        PART_FOREACH(part_, server_, hook_)                                                        \
            (*part_)->hook_(__VA_ARGS__);                                                          \
    } while (0)

/* The same backwards. */
#define PART_CALL_BACKWARDS(server_, hook_, ...)                                                   \
    do {                                                                                           \
        for (size_t part_ = (server_)->part_count; part_-- > 0;)                                   \
            if ((server_)->parts[part_]->hook_ != NULL)                                            \
                (server_)->parts[part_]->hook_(__VA_ARGS__);                                       \
    } while (0)

/* Says where the state of each of @parts (ends with NULL) lies, and allocates the server's. */
void part_layout(struct gb_server *server, const struct gb_part *const *parts);
/* The first gate that is shut to this connection; NULL: it may run cells. */
const struct gate *part_shut_gate(struct hosted *hosted, const struct connection *connection);
/* Cells of that client that all parts keep under way. */
size_t part_cells_of(struct hosted *hosted, const char *client);
/* As `check_open` of all parts. `network` is refused when no part knows what that is. */
int part_check_open(struct gb_server *server, const struct gb_params *params, struct gb_err *err);
/* As `check_past` of all parts. */
int part_check_past(struct hosted *hosted, struct gb_err *err);
/* As `record_cell`; 1 when no part records cells. */
int part_record_cell(struct hosted *hosted, const struct gb_cell_info *cell,
                     struct gb_journal_ticket *ticket);
/* As `explain_missing`. */
bool part_explain_missing(struct gb_server *server, struct gb_bytes id, struct gb_err *err);
/* As `list_ended`. */
bool part_list_ended(struct gb_json_out *out, struct gb_server *server,
                     const struct gb_params *params);

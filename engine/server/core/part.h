/* SPDX-License-Identifier: Apache-2.0 */
/* A part of the server: one feature, as seen by the core.
 *
 * Theory of operation. The core (connections, requests, the registry of sessions, the server's
 * life) knows no features. At each point where a feature may have to act it calls the *hooks* below
 * of all parts, in the order of the list, or in reverse order when a connection is torn down. Any
 * hook may be NULL.
 *
 * A part's data for the server, a connection or a session is its *state*: the part declares the
 * size, and the core allocates it, zeroed, together with the object and frees it with it.
 * part_of_…() return it.
 *
 * Parts do not call each other. Where one needs another's decision or data there is a hook for it
 * (`gate`, `record_cell`, `describe_session`), so that the server works without the other part.
 *
 * The build defines the list: GB_SERVER_PARTS in engine/CMakeLists.txt. The end of a session is
 * passed along in this order, so parts that report it to others (history, watch) come after those
 * that still change it (files, lease, cells).
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
struct gb_journal_query;
struct gb_journal_ticket;
struct gb_cell_info;
struct gb_network_record;
struct gb_session_info;
struct gb_stats_info;
struct gb_server;
struct hosted;
struct request;

/* Answers @request immediately or keeps it; see request.h. @params borrow from the line. */
typedef void handler_fn(struct request *request, const struct gb_params *params);

/* A method from the tables in engine/rpc, and its handler. */
struct method_handler {
    const char *name;
    handler_fn *handle;
};

/* A cell that has been parsed and checked but is not queued yet, because another client holds the
 * session. Its creator frees it: in `start` and in `drop`. */
struct held_cell {
    struct request *request;
    struct hosted *hosted;
    uint64_t wait_ms;                      /* the longest time to hold it */
    void (*start)(struct held_cell *cell); /* queues it, or answers the request with an error */
    void (*drop)(struct held_cell *cell);  /* the request has been answered, or is gone */
};

/* A checkpoint to which a session was taken back because its interpreter ended with a cell. */
struct rollback {
    uint64_t checkpoint;
    uint32_t cell; /* the last cell that had ended there */
    uint32_t lost; /* how many cells right before the one with which it ended are undone too */
};

/* Whoever waits with the result of a cell. */
struct rollback_wait {
    /* Called once. NULL: the session was not taken back. */
    void (*done)(void *arg, const struct rollback *rollback);
    void *arg;
};

/* Decides who may run cells in a session. */
struct gate {
    /* Whether cells of this connection have to wait, or are refused, now. */
    bool (*is_shut)(struct hosted *hosted, const struct connection *connection);
    /* Answers the request with the holder of the session. */
    void (*refuse)(struct request *request, struct hosted *hosted);
    /* Takes @cell, to start or refuse it later. Sets the request's `abandon` and `arg`. */
    void (*hold)(struct held_cell *cell);
};

/* What a session has besides its VM. Zeroed is nothing; release it with saved_release(). */
struct saved_session {
    struct gb_buf network; /* its policy's name; "none": it had a network; empty: it never had */
    struct gb_buf policy;  /* the name, of the settings or a preset, that it was opened with or
                            * given since; empty: none */
    struct gb_buf rules;
    struct gb_buf secrets; /* names, each followed by a space */
};

/* Which sessions a watcher wants events from. */
struct session_filter {
    bool (*covers)(const struct session_filter *filter, const char *session);
};

/* Sizes of a part's state, in bytes; its address also identifies the state. */
struct part_state {
    size_t server, connection, session;
};

struct gb_part {
    const char *name;
    const struct method_handler *methods; /* ends with a NULL name; NULL: none */
    const char *const *event_kinds;       /* that it sends; NULL-terminated; NULL: none */
    const struct part_state *state;       /* NULL: none */

    /* ---- the server's life ---- */
    void (*server_new)(struct gb_server *server);
    /* The socket exists, but no client is accepted yet. A failure aborts the start of the
     * server. */
    int (*server_start)(struct gb_server *server, struct gb_err *err);
    /* It is going to close all sessions. True: for a limited time it waits for the part, which
     * calls server_saved() when it has saved what is to outlive the server. */
    bool (*server_ending)(struct gb_server *server);
    void (*server_free)(struct gb_server *server);

    /* ---- connections ---- */
    void (*connection_new)(struct connection *connection);
    /* It has too many unsent bytes, so that reading from it is paused; or has no longer. */
    void (*connection_full)(struct connection *connection, bool full);
    /* Bytes have been sent. */
    void (*connection_sent)(struct connection *connection);
    /* It is about to close; its requests still exist. Reverse order. */
    void (*connection_closing)(struct connection *connection);
    /* Its requests are freed, and it is freed next. Reverse order. */
    void (*connection_closed)(struct connection *connection);

    /* ---- sessions ---- */
    /* Whether a session can be opened with these parameters of `session.open` or `run`; if so, the
     * part stores its own parameters with it. */
    int (*check_open)(struct gb_server *server, const struct gb_params *params, struct gb_err *err);
    /* Adds variables to the session's environment. */
    int (*add_env)(struct gb_server *server, const struct gb_params *params, struct gb_env *env,
                   struct gb_err *err);
    void (*take_open)(struct hosted *hosted, const struct gb_params *params);
    /* It is in the registry; its VM has not been requested. */
    void (*session_new)(struct hosted *hosted);
    /* The same, and what it needs may not be there yet. True: the part calls hosted_go_on() later,
     * or ends the session; parts behind it are asked then. */
    bool (*session_preparing)(struct hosted *hosted);
    /* Opens what was behind the spare disk of a session that an earlier server has left, by the
     * name in hosted->layer: a descriptor. GB_ENOTFOUND. */
    int (*open_layer)(struct gb_server *server, struct gb_bytes layer, struct gb_err *err);
    /* Its guest is running, and no cell has been sent to it: requests made now come first. */
    void (*session_opened)(struct hosted *hosted);
    /* It is open, and its state or the number of its cells has changed. */
    void (*session_changed)(struct hosted *hosted);
    /* The last request or file transfer in progress in it has ended. */
    void (*session_rested)(struct hosted *hosted);
    /* It is asleep, and something was requested of it. */
    void (*session_wanted)(struct hosted *hosted);
    /* It was idle for its idle time. True: it is not to be closed for that; the part does so, or
     * puts it to sleep. */
    bool (*session_expiring)(struct hosted *hosted);
    /* It is to continue from a moment of another session's past: the part gives it what that one
     * has besides its VM. Before `session_new`. @alone: what runs in it must not act on anything
     * outside, whatever its origin may do. */
    void (*session_forked)(struct hosted *hosted, struct hosted *origin, bool alone);
    /* Adds what the part has of the session besides its VM, for another server that takes it up. */
    void (*save_session)(struct hosted *hosted, struct saved_session *saved);
    /* Whether such a session can be taken up; and then, before `session_new`, that it is. */
    int (*check_saved)(struct gb_server *server, const struct saved_session *saved,
                       struct gb_err *err);
    void (*load_session)(struct hosted *hosted, const struct saved_session *saved);
    /* It has another VM, or is asleep: as `moved` of struct gb_session_events. */
    int (*session_moved)(struct hosted *hosted, struct gb_err *err);
    /* hosted_relapse(): true if the part puts the session to sleep at a moment of its past. */
    bool (*session_failing)(struct hosted *hosted, const char *reason);
    /* It was to get another VM, and has not. */
    void (*session_stayed)(struct hosted *hosted);
    /* It is asleep, and cannot be woken now: what waited for that has failed. */
    void (*session_refused)(struct hosted *hosted);
    /* Its memory is about to be copied: until the end of that nothing is sent to its guest. */
    void (*session_copied)(struct hosted *hosted, bool begins);
    /* What provides the network in its guest has ended by itself. */
    void (*session_network_lost)(struct hosted *hosted);
    /* It was rewound or taken forward again: these of its cells are undone now (model/undone.h). */
    void (*session_rewound)(struct hosted *hosted, struct gb_bytes undone);
    /* Output of a cell that has ended. */
    void (*session_output)(struct hosted *hosted, uint32_t cell, enum gb_output stream,
                           struct gb_bytes bytes);
    /* The ports of its guest on which programs listen, ascending; perhaps as they were. */
    void (*session_listening)(struct hosted *hosted, const uint16_t *ports, unsigned count);
    /* Its VM has ended, for the reason in hosted->why. The part must end whatever its cells wait
     * for. */
    void (*session_closed)(struct hosted *hosted);
    /* Everything in it has ended, and it is freed next. */
    void (*session_ended)(struct hosted *hosted, const struct gb_err *why);
    /* Explains why there is no session with this id, which the core does not know: true if @err was
     * set. */
    bool (*explain_missing)(struct gb_server *server, struct gb_bytes id, struct gb_err *err);

    /* Removes what the part knows about such a session, and answers @request. False: it knows
     * nothing. */
    bool (*close_missing)(struct gb_server *server, struct request *request, struct gb_bytes id);

    /* ---- cells ---- */
    const struct gate *gate;
    /* How many cells of that client (NULL: of unnamed ones) it holds. */
    size_t (*cells_of)(struct hosted *hosted, const char *client);
    /* The next cell is about to be sent, in a session for which a part has requested this call
     * (gb_session_announce()). True: it waits until the part calls gb_session_send_next(). */
    bool (*cell_sending)(struct hosted *hosted);
    void (*cell_started)(struct hosted *hosted, const struct gb_cell_info *cell);
    /* A cell that was started has ended, and is about to be recorded. Adds to its note, at most
     * PART_NOTE_MAX bytes of plain text in whole sentences, what its reader should know. */
    void (*cell_ending)(struct hosted *hosted, uint32_t cell, struct gb_buf *note);
    /* The interpreter has ended with this cell, which is reported next. True: the part takes the
     * session back, if it can, and calls gb_session_go_on(). */
    bool (*interpreter_lost)(struct hosted *hosted, const struct gb_cell *cell);
    /* Whether the part is taking the session back because of that cell: then it calls
     * @wait->done. */
    bool (*await_rollback)(struct hosted *hosted, uint32_t cell, const struct rollback_wait *wait);
    /* Records a cell that has ended: 0: the ticket will be completed; 1: it is recorded; negative:
     * it cannot be. See gb_journal_cell(). */
    int (*record_cell)(struct hosted *hosted, const struct gb_cell_info *cell,
                       struct gb_journal_ticket *ticket);

    /* Reads the recorded cells of the session with this id: gb_journal_read(). GB_EUNSUPPORTED:
     * none are recorded. */
    int (*read_cells)(struct gb_server *server, struct gb_bytes id,
                      const struct gb_journal_query *query, struct gb_err *err);

    /* What is to be recorded of the session has changed. */
    void (*record_session)(struct hosted *hosted);
    /* The highest recorded number of a cell of the session with this id; 0: none. */
    uint32_t (*last_cell)(struct gb_server *server, struct gb_bytes id);

    /* ---- network ---- */
    /* Records a connection that has ended, or a decision. Not after `session_ended`. */
    void (*record_network)(struct hosted *hosted, const struct gb_network_record *record);

    /* ---- capacity ---- */
    void (*pool_changed)(struct gb_server *server);

    /* ---- events ---- */
    /* Whether a watcher wants events of this kind (one of `event_kinds`) about that session (NULL:
     * about none). */
    bool (*wants_event)(struct gb_server *server, const char *kind, const char *session);
    void (*tell_event)(const struct event *event);
    /* Whether a watcher of that session can answer events of this kind. */
    bool (*can_answer)(struct gb_server *server, const char *kind, const char *session);
    /* A watcher has disconnected. */
    void (*watcher_gone)(struct gb_server *server);
    /* Sends past events to the new watcher @to, with event_begin_for(). */
    void (*replay)(struct hosted *hosted, void *to);

    /* ---- what is told ---- */
    /* Fills in its part of a session's info. */
    void (*describe_session)(struct gb_session_info *info, struct hosted *hosted);
    /* Writes members of a snapshot. */
    void (*put_snapshot)(struct gb_json_out *out, struct gb_server *server,
                         const struct session_filter *filter);
    /* Writes members of the reply to a cell that @connection sent. */
    void (*put_reply)(struct gb_json_out *out, struct hosted *hosted,
                      const struct connection *connection);
    /* Fills in its part of `stats`. */
    void (*describe_stats)(struct gb_stats_info *info, const struct gb_server *server);
    /* Writes elements of session.list for ended sessions; false if they were not requested. */
    bool (*list_ended)(struct gb_json_out *out, struct gb_server *server,
                       const struct gb_params *params);
};

/* The part's state in that object. */
void *part_of_server(const struct gb_server *server, const struct part_state *state);
void *part_of_connection(struct connection *connection, const struct part_state *state);
void *part_of_session(struct hosted *hosted, const struct part_state *state);

/* ---- walking the list ---- */

enum { PARTS_MAX = 16, PART_NOTE_MAX = 1024 };

/* Iterates over the parts that have the hook @hook_. */
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

/* The same in reverse order. */
#define PART_CALL_BACKWARDS(server_, hook_, ...)                                                   \
    do {                                                                                           \
        for (size_t part_ = (server_)->part_count; part_-- > 0;)                                   \
            if ((server_)->parts[part_]->hook_ != NULL)                                            \
                (server_)->parts[part_]->hook_(__VA_ARGS__);                                       \
    } while (0)

/* Assigns the offset of each state of @parts (NULL-terminated), and allocates the server's. */
void part_layout(struct gb_server *server, const struct gb_part *const *parts);
/* The first gate that is shut for this connection; NULL: it may run cells. */
const struct gate *part_shut_gate(struct hosted *hosted, const struct connection *connection);
/* The number of that client's cells that all parts hold. */
size_t part_cells_of(struct hosted *hosted, const char *client);
/* `check_open` of all parts. Refuses `network` if no part handles it. */
int part_check_open(struct gb_server *server, const struct gb_params *params, struct gb_err *err);
/* `add_env` of all parts. */
int part_add_env(struct gb_server *server, const struct gb_params *params, struct gb_env *env,
                 struct gb_err *err);
/* `open_layer` of the part that has it. GB_EUNSUPPORTED: there is none. */
int part_open_layer(struct gb_server *server, struct gb_bytes layer, struct gb_err *err);
/* `check_saved` of all parts. */
int part_check_saved(struct gb_server *server, const struct saved_session *saved,
                     struct gb_err *err);
void saved_release(struct saved_session *saved);
/* `await_rollback` of all parts. */
bool part_await_rollback(struct hosted *hosted, uint32_t cell, const struct rollback_wait *wait);
/* `record_cell`; 1 if no part records cells. */
int part_record_cell(struct hosted *hosted, const struct gb_cell_info *cell,
                     struct gb_journal_ticket *ticket);
/* `read_cells`; GB_EUNSUPPORTED if no part records cells. */
int part_read_cells(struct gb_server *server, struct gb_bytes id,
                    const struct gb_journal_query *query, struct gb_err *err);
/* The highest `last_cell` of all parts. */
uint32_t part_last_cell(struct gb_server *server, struct gb_bytes id);
/* `can_answer` of any part. */
bool part_can_answer(struct gb_server *server, const char *kind, const char *session);
/* `explain_missing` of all parts. */
bool part_explain_missing(struct gb_server *server, struct gb_bytes id, struct gb_err *err);
/* `close_missing` of all parts, until one does. */
bool part_close_missing(struct gb_server *server, struct request *request, struct gb_bytes id);
/* `list_ended` of all parts. */
bool part_list_ended(struct gb_json_out *out, struct gb_server *server,
                     const struct gb_params *params);

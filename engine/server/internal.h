/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the server share. Not for others.
 *
 * Theory of operation. A *connection* cuts its input into lines; dispatch.c turns a line into a
 * *request* and hands it, with its parameters, to the handler of its method. A handler answers at
 * once or keeps the request; each request is answered exactly once, by reply_end() or
 * request_fail(), which free it. When the connection closes first, the request's `abandon` is
 * called and the request is gone.
 *
 * A *hosted* is a session as the server keeps it: names, who waits for it, which cells run for
 * whom. It lives from gb_session_new() to the session's `closed`, and leaves a *tombstone* behind.
 *
 * Limits: lines (GB_LINE_MAX), requests in flight and the bytes that they hold, unsent bytes of a
 * connection (above GB_UNSENT_HIGH nothing more is read from it and its cells are held), bytes
 * waiting for a guest (its uploads are no longer read), sessions, tombstones, background output.
 */
#pragma once

#include <pthread.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/list.h"
#include "journal/journal.h"
#include "journal/pace.h"
#include "loop/loop.h"
#include "pool/room.h"
#include "pool/start.h"
#include "rpc/json.h"
#include "rpc/methods.h"
#include "server/histogram.h"
#include "server/part.h"
#include "server/server.h"
#include "session/session.h"

enum server_state {
    SERVER_NEW,
    SERVER_OPEN,     /* takes everything */
    SERVER_DRAINING, /* no new sessions and cells; waits for the cells that there are */
    SERVER_CLOSING,  /* no new connections; sessions are on their way out */
    SERVER_ENDED,
};

/* A session that has ended, as long as it is remembered. */
struct tombstone {
    char *id, *key; /* key: NULL for none */
    uint32_t incarnation;
    const char *reason; /* "expired", "crashed", "closed": what session.open says of the next one */
    struct gb_err why;
};

/* A method that this server has. */
struct method {
    const struct gb_method *row;
    handler_fn *handle;
};
enum { METHODS_MAX = 64 };

/* What a session took at a moment of the past. */
struct figure {
    uint32_t round; /* of the server's rounds; 0: none */
    uint32_t memory_kib;
    uint64_t cpu_ns;
};

struct gb_server {
    struct gb_loop *loop;
    struct gb_host *host;
    struct gb_room *room;
    void (*ended)(void *arg);
    void *arg;
    char *path, *state_folder;
    struct gb_journal *journal; /* NULL: none is kept */
    int lock_fd, fd;
    int handed_fd; /* by a service manager, whose the socket's file is; −1: none */
    struct gb_watch *watch;
    struct gb_timer *accept_timer; /* after accept() failed for want of descriptors */
    struct gb_timer *drain_timer;
    struct gb_timer *idle_timer; /* runs while nobody needs the server */
    struct gb_settings settings;
    struct gb_deferred progress; /* of the shutdown */
    const struct gb_part *const *parts;
    size_t part_count;
    struct part_sizes part_offsets[PARTS_MAX], part_sizes;
    char *part_state;
    struct method methods[METHODS_MAX]; /* of all parts */
    size_t method_count;
    enum server_state state;
    struct gb_list connections, sessions, shutdowns; /* requests of server.shutdown */
    size_t connection_count, session_count, exec_count;
    size_t line_bytes;    /* what connections hold of lines that have no end yet */
    size_t request_bytes; /* what requests under way hold */
    uint64_t connections_numbered;
    struct tombstone tombstones[GB_TOMBSTONES_MAX];
    size_t tombstone_next;
    struct histogram open_times, exec_times, overhead_times;
    uint64_t started_ns, opened, cells;
    /* Watching. */
    struct gb_list subscriptions, log_lines;
    uint32_t event_kinds; /* that any subscription wants, as bits */
    uint32_t ask_round;   /* of asking the guests for their figures */
    size_t log_count;
    struct gb_deferred log_deferred;
    struct gb_timer *sample_timer; /* runs while somebody wants samples */
    struct gb_timer *figures_timer, *pass_timer;
    uint64_t pass_ns;                   /* when the pass over all VMs began (monotonic) */
    bool figures_run;                   /* rounds are gone: there are sessions */
    uint32_t figures_round;             /* the last; 0: none yet */
    uint64_t figures_at_ns[GB_FIGURES]; /* wall clock */
    pthread_t thread;                   /* the loop's */
};

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
    uint64_t number; /* 1, 2, … in this server */
    char *client;    /* as `hello` said; NULL */
    struct gb_list requests, execs, followers, subscriptions;
    uint32_t subscriptions_numbered;
    size_t request_count, request_bytes;
    struct gb_deferred resume;
    struct gb_json_doc doc;
    alignas(max_align_t) char part_state[];
};

struct request {
    struct gb_list link; /* in connection->requests */
    struct gb_list wait; /* for the handler's own lists */
    struct connection *connection;
    struct gb_buf id; /* as JSON */
    size_t cost;      /* bytes in memory on its behalf */
    uint64_t received_ns;
    /* The connection is closing; the request is freed after. NULL: nothing to do. */
    void (*abandon)(struct request *request);
    void *arg; /* the handler's */
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

struct hosted {
    struct gb_list link; /* in server->sessions */
    struct gb_server *server;
    struct gb_session *session;
    struct gb_start start;     /* of its VM */
    char *key, *label, *owner; /* NULL: none */
    char *client;              /* who opened it; NULL: it gave no name */
    const char *reason;        /* why it was made */
    const char *end;           /* why it ends, once we know: as in tombstone */
    bool opened, closing, run;
    bool ended;        /* the session is closed; what is left of it waits for the journal */
    struct gb_err why; /* then */
    uint32_t incarnation_before; /* of earlier sessions with the key */
    uint64_t opened_ns, created_at_ns;
    struct gb_list openers, closers; /* requests, by `wait` */
    struct gb_list execs, followers;
    struct background *background[GB_BACKGROUND_CELLS_MAX];
    size_t background_count;
    struct watched_tail watched_tails[WATCHED_TAILS];
    bool has_status; /* what the guest said last */
    uint64_t guest_total, guest_used;
    bool asked; /* for the status: the answer is awaited */
    uint32_t asked_round;
    struct figure figures[GB_FIGURES];
    bool failed; /* the last cell that ended did not end well; one that was interrupted is none */
    alignas(max_align_t) char part_state[];
};

/* A cell that somebody waits for, or that nobody waits for any more. */
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

/* ---- listen.c: the socket's file, its lock, and who may come in ---- */
/* @handed_fd: a socket that listens there already; −1: none. */
int listen_open(const char *path, int handed_fd, int *ret_lock_fd, int *ret_fd, struct gb_err *err);
/* Whether the peer has our uid. */
bool listen_trusted(int fd, pid_t *ret_pid);

/* ---- server.c ---- */
/* A cell, a hosted or a connection has gone: a shutdown may go on, and a client may come in. */
void server_progress(struct gb_server *server);
/* GB_EBUSY while the server is ending. */
int server_check_open(const struct gb_server *server, struct gb_err *err);

/* ---- connection.c ---- */
void connection_new(struct gb_server *server, int fd, pid_t pid);
/* Frees it with all its requests; what is queued is still sent. */
void connection_close(struct connection *connection);
/* Sends a line; takes the content of @line. */
void connection_send(struct connection *connection, struct gb_buf *line);
/* Nothing more is read from it, until the part that wants this takes it back. */
void connection_brake(struct connection *connection, bool on);

/* ---- dispatch.c ---- */
/* Finds the handlers of all methods. */
void dispatch_init(struct gb_server *server);
/* One line, without its newline; its bytes are changed. */
void dispatch_line(struct connection *connection, uint8_t *line, size_t size);
/* The line that is being read is refused. */
void dispatch_too_long(struct connection *connection);
void dispatch_too_many(struct connection *connection);

/* ---- request.c ---- */
struct reply {
    struct request *request;
    struct gb_buf buf;
    struct gb_json_out out; /* inside of `result` */
};
void reply_begin(struct reply *reply, struct request *request);
/* Sends it and frees the request. */
void reply_end(struct reply *reply);
/* Answers `{}`. */
void request_ok(struct request *request);
void request_fail(struct request *request, const struct gb_err *err);
/* The guest's answer breaks the rules, as @err says: that is the end of the session, and the
 * answer. */
void request_break(struct request *request, struct hosted *hosted, struct gb_err *err);
/* The same as request_fail() with more in `data`. */
void request_fail_with(struct request *request, const struct gb_err *err,
                       void (*add)(struct gb_json_out *out, void *arg), void *arg);
/* An error with a JSON-RPC code; @id may be NULL. */
void connection_error(struct connection *connection, const struct gb_buf *id, int code,
                      const struct gb_err *err, void (*add)(struct gb_json_out *out, void *arg),
                      void *arg);
void request_free(struct request *request);

/* ---- sessions.c ---- */
/* The hosted of an open session; fails with GB_ENOTFOUND or GB_ECLOSED and the reason. */
struct hosted *hosted_find(struct gb_server *server, struct gb_bytes id, struct gb_err *err);
int hosted_open(struct connection *connection, const struct gb_params *params, bool run,
                struct hosted **ret_hosted, struct gb_err *err);
/* Whether this client may have one more cell under way, or waiting for a lease. */
int client_check_cells(const struct connection *connection, struct gb_err *err);
/* Whether both are of one name, or of none. */
bool client_is_same(const char *a, const char *b);
/* An exec of it has gone: when it has ended and this was the last, it is freed. */
void hosted_exec_gone(struct hosted *hosted);
/* Remembers a session that has ended; @reason is a constant. */
void bury(struct gb_server *server, const char *id, const char *key, uint32_t incarnation,
          const char *reason, const struct gb_err *why);
/* Whether a filter lets @value (NULL: none) pass. */
bool selected(struct gb_bytes wanted, const char *value);
/* By name or alias, or python; NULL with what to do about it. */
struct gb_image *hosted_image(const struct gb_server *server, struct gb_bytes name,
                              struct gb_err *err);
int hosted_check_memory(int64_t memory_mb, struct gb_err *err);
void hosted_close(struct hosted *hosted, const char *end, const char *reason);
uint32_t hosted_incarnation(const struct hosted *hosted);
/* Answers a request for which there was no room with what is short and who could be closed. */
void hosted_refuse(struct hosted *hosted, struct request *request, const struct gb_err *err);
/* What its VM takes of the host (gb_vm_look(); @until_ns 0: nothing is read); NULL without a VM. */
const struct gb_vm_sample *hosted_sample(struct hosted *hosted, uint64_t until_ns);
uint64_t sample_budget(void);
/* @until_ns: as for hosted_sample(); 0: nothing is read. */
void put_session(struct gb_json_out *out, struct hosted *hosted, uint64_t until_ns);
/* `memory_bytes`, `cpu_ms`, `guest_memory`. */
void put_sample(struct gb_json_out *out, struct hosted *hosted, uint64_t until_ns);
/* What its guest says of itself. */
void hosted_status(struct hosted *hosted, const struct gb_status *status);
int params_env(const struct gb_json *object, struct gb_env *env, struct gb_err *err);
void put_timing(struct gb_json_out *out, const struct hosted *hosted);

/* ---- cells.c: cells on their way to the client ---- */
enum cell_detail {
    CELL_WHOLE, /* as in a reply */
    CELL_BRIEF, /* without streams and display data; code and value cut */
};
/* A cell as it is told and recorded. */
struct cell_view {
    struct gb_record_cell cell; /* borrows from the exec, and from the buffers below */
    struct gb_buf displays, pace;
};
void view_init(struct cell_view *view, const struct exec *exec);
void view_release(struct cell_view *view);
void put_cell(struct gb_json_out *out, const struct gb_record_cell *cell, enum cell_detail detail);
void put_exec(struct gb_json_out *out, const struct exec *exec, enum cell_detail detail);
/* Briefly, with as much of the code as @room has bytes for, which it uses up, and always a little.
 */
void put_exec_cut(struct gb_json_out *out, const struct exec *exec, size_t *room);
/* While the program waits for standard input: `waiting` and `prompt`, the line that it left open;
 * else nothing. */
void put_waiting(struct gb_json_out *out, const struct exec *exec);
void put_prompt(struct gb_json_out *out, const struct exec *exec);
/* `waiting` of a session: the cell that waits for input, or null. */
void put_session_waiting(struct gb_json_out *out, const struct hosted *hosted);
/* The exec of that cell; NULL once it has ended. */
const struct exec *exec_find(const struct hosted *hosted, uint32_t cell);
/* `cell`, `stream` and the bytes of a piece of output. */
void put_output(struct gb_json_out *out, uint32_t cell, enum gb_output stream,
                struct gb_bytes bytes, bool background);
/* The part of @bytes that makes whole characters, with what @tail held back before; the rest is
 * held back. May use @joined. */
struct gb_bytes tail_join(struct tail *tail, struct gb_bytes bytes, struct gb_buf *joined);
void put_background(struct gb_json_out *out, struct hosted *hosted);
void send_piece(struct connection *connection, const struct hosted *hosted, uint32_t cell,
                enum gb_output stream, struct gb_bytes bytes, bool background);
/* The program of an interactive cell waits for standard input, or no longer does. */
void send_started(struct connection *connection, const struct hosted *hosted, uint32_t cell);
void send_waiting(struct connection *connection, const struct hosted *hosted, uint32_t cell,
                  bool on);
void background_output(struct hosted *hosted, uint32_t cell, enum gb_output stream,
                       struct gb_bytes bytes);
void background_release(struct hosted *hosted);
void follower_add(struct connection *connection, struct hosted *hosted, uint32_t cell);
void follower_free(struct follower *follower);

/* ---- history.c ---- */
int history_open(struct gb_server *server, struct gb_err *err);
/* @why NULL: it begins; else it has ended. */
void history_session(const struct hosted *hosted, const struct gb_err *why);
void history_start(const struct exec *exec);
/* As gb_journal_cell(): the exec's ticket. */
int history_cell(struct exec *exec, const struct gb_record_cell *cell);
/* `journal`: its figures. */
void put_journal(struct gb_json_out *out, const struct gb_server *server);
/* session.list for sessions that have ended; false when it is not asked for them. */
bool list_past(struct gb_json_out *out, const struct gb_server *server,
               const struct gb_params *params);

/* ---- program.c ---- */
/* What is to be run. Zeroed before it is read. */
struct program {
    struct gb_bytes code; /* borrows from the request's line until it is kept */
    struct gb_buf kept, file, argv;
    bool put; /* the code goes into the file first */
};
/* Reads it from @params, whose arguments are decoded where they stand, and checks it.
 * -GB_EINVALID, -GB_EPOLICY, -GB_ETOOLARGE. */
int program_read(const struct gb_params *params, struct program *program, struct gb_err *err);
/* Sets the fields that are about it; they borrow from @program. */
void program_config(const struct program *program, struct gb_cell_config *config);
/* Copies the code, so that it outlives the line. -GB_ECAPACITY. */
int program_keep(struct program *program, struct gb_err *err);
void program_release(struct program *program);

/* ---- exec.c ---- */
/* Queues the cell of @request in @hosted; takes nothing of @params, @program and @env. Refused
 * while the server ends, and when the client has too many under way. */
int exec_start(struct request *request, const struct gb_params *params,
               const struct program *program, const struct gb_env *env, struct hosted *hosted,
               struct gb_err *err);
/* Tells the exec's connection whether its program waits for input, when that is another state than
 * it was told last and it has room for it. */
void exec_tell_waiting(struct exec *exec);
/* The connection has gone: its cells are interrupted, unless they are detached. */
void exec_disconnect(struct exec *exec);

/* ---- room.c ---- */
void room_open(struct gb_server *server);
/* The fields of pool.status. */
void put_pool(struct gb_json_out *out, struct gb_server *server);
/* Adds to a `capacity` error which sessions could be closed. */
void room_explain(struct gb_server *server, struct gb_err *err);
/* The same with figures, for its `data`; @arg is the hosted that has no VM. */
void put_shortage(struct gb_json_out *out, void *arg);

/* ---- info.c ---- */
/* `host`: its figures. */
void put_host(struct gb_json_out *out);

/* ---- events.c ---- */
enum event_kind {
    EVENT_SNAPSHOT,
    EVENT_GAP,
    EVENT_SESSION_OPENED,
    EVENT_SESSION_CHANGED,
    EVENT_SESSION_CLOSED,
    EVENT_CELL_STARTED,
    EVENT_CELL_OUTPUT,
    EVENT_CELL_WAITING,
    EVENT_CELL_FINISHED,
    EVENT_LEASE_CHANGED,
    EVENT_POOL_CHANGED,
    EVENT_SAMPLE,
    EVENT_SERVER_LOG,
    EVENT_KIND_COUNT
};

/* An event that is being written. */
struct event {
    struct gb_server *server;
    enum event_kind kind;
    const char *session; /* NULL: of no session */
    struct gb_buf body;
    struct gb_json_out out; /* inside of `params`, behind `kind` and `session` */
};
/* False, and nothing to end, when nobody wants to hear of it. @hosted NULL: of no session. */
bool event_begin(struct event *event, struct gb_server *server, enum event_kind kind,
                 const struct hosted *hosted);
void event_end(struct event *event);

/* Opened or changed. */
void event_session(struct hosted *hosted, enum event_kind kind);
void event_closed(const struct hosted *hosted, const struct gb_err *why);
/* Started or finished. */
void event_cell(const struct exec *exec, enum event_kind kind);
void event_output(const struct hosted *hosted, uint32_t cell, enum gb_output stream,
                  struct gb_bytes bytes, bool background);
void event_waiting(const struct exec *exec);
/* Bytes have left: watchers that were too slow may have caught up. */
void events_resume(struct connection *connection);
void events_disconnect(struct connection *connection);
/* figures.c: those of the last minutes. */
void figures_init(struct gb_server *server);
void figures_release(struct gb_server *server);
/* There is a session: rounds are gone from now on. */
void figures_begin(struct gb_server *server);
/* Somebody looks at the figures of all VMs: reads some of them now, those that are oldest, and sees
 * to it that all are read soon. */
void figures_look(struct gb_server *server);
/* The first round that is told to a new watcher of @sessions sessions. */
uint32_t figures_first(const struct gb_server *server, size_t sessions);
/* NULL: the session had none in that round. */
const struct figure *figures_of(const struct hosted *hosted, uint32_t round);

void events_init(struct gb_server *server);
void events_release(struct gb_server *server);
struct subscription;

/* ---- handlers ---- */
handler_fn handle_hello, handle_run, handle_open, handle_exec, handle_stdin, handle_interrupt,
    handle_complete, handle_is_complete, handle_get, handle_list, handle_close, handle_pool,
    handle_warm, handle_stats, handle_shutdown, handle_subscribe, handle_unsubscribe,
    handle_history;

/* SPDX-License-Identifier: Apache-2.0 */
/* What the front end knows about a server: sessions, statistics, pool; updated by replies and
 * events. With several servers there is a store for each.
 *
 * Theory of operation. One subscription provides everything except output. A `snapshot` replaces
 * the known state (marks and the history of samples are kept, by id); every other event changes one
 * thing. Strings come from clients and guests: they are stored unmodified, with a limit, and made
 * safe by whoever paints them. Closed sessions are kept for a while, marked as gone, so that the
 * user sees what happened to them. Code that needs more (the cells of a session with their output)
 * listens: each event is passed on after the store has handled it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/list.h"
#include "language/language.h"
#include "model/words.h"
#include "model/event.h"
#include "rpc/json.h"

enum {
    STORE_SESSIONS_MAX = 4096,
    STORE_GONE_MAX = 64,     /* closed sessions that are still shown */
    STORE_SAMPLES = 600,     /* samples kept per session and for the host, one second apart */
    STORE_NAME_MAX = 160,    /* bytes of a name */
    STORE_HOST_MAX = 64,     /* bytes of a host's name */
    STORE_MESSAGE_MAX = 256, /* bytes of a reason */
    STORE_POOLS_MAX = 32,
    STORE_CODE_MAX = 400,   /* bytes of the last cell's code */
    STORE_HISTORY = 5,      /* cells to look up */
    STORE_ERROR_MAX = 4096, /* bytes of their output */
    STORE_TROUBLE_MAX = 512,
};

enum session_state {
    SESSION_STARTING = GB_SESSION_STARTING,
    SESSION_IDLE = GB_SESSION_IDLE,
    SESSION_RUNNING = GB_SESSION_RUNNING,
    SESSION_WAITING = GB_SESSION_WAITING_INPUT,
    SESSION_ASLEEP = GB_SESSION_ASLEEP,
    SESSION_CLOSED = GB_SESSION_CLOSED,
    SESSION_LOST = GB_SESSION_LOST, /* its VM, or its server, died */
    /* Not a state of the server's: idle, and the last cell failed. session_shown() returns the
     * state for display, search, sorting and counts. */
    SESSION_FAILED,
    SESSION_CLOSING, /* the user closed it, and can still undo that */
    SESSION_OFFLINE, /* there is no link to its server, one of several: all else is as last known */
    SESSION_STATE_COUNT
};

/* Why a session needs attention, most pressing first. */
enum attention {
    ATTENTION_CONNECTION, /* a connection waits for a decision */
    ATTENTION_INPUT,      /* a cell waits for input */
    ATTENTION_LOST,       /* it died */
    ATTENTION_REPEAT,     /* the same error three times in a row */
    ATTENTION_FAILED,     /* its last cell failed */
    ATTENTION_LIMIT,      /* its memory is nearly used up, or it will close soon */
    ATTENTION_NONE,
    ATTENTION_COUNT
};

/* The last values, newest last. */
struct samples {
    float values[STORE_SAMPLES];
    size_t count;
};

struct last_cell {
    uint32_t number; /* 0: none yet */
    char client[STORE_NAME_MAX];
    char code[STORE_CODE_MAX]; /* the start of it */
    bool running, waiting, failed, stopped;
    double started_at, wall_ms;
};

struct lease {
    bool held, human, mine;
    char holder[STORE_NAME_MAX];
    char note[STORE_MESSAGE_MAX];
    double since;
    uint32_t waiting; /* cells waiting for its end */
};

struct session {
    struct gb_list link; /* in struct store */
    struct store *store; /* that one; NULL in some tests */
    char id[STORE_NAME_MAX];
    char label[STORE_NAME_MAX], key[STORE_NAME_MAX], owner[STORE_NAME_MAX];
    char client[STORE_NAME_MAX]; /* the client that opened it */
    char image[STORE_NAME_MAX], language[STORE_NAME_MAX], source[32], network[32];
    char parent[STORE_NAME_MAX]; /* the session that it was forked from; empty: none */
    uint32_t parent_cell;        /* its last cell at that moment; 0: none */
    enum session_state state;
    bool run; /* the VM of a `run` */
    uint32_t incarnation, cells;
    double created_at, last_active_at, expires_at; /* Unix seconds; 0: never */
    double ended_at;                               /* known of those from the journal */
    uint64_t memory_limit_bytes;                   /* RAM of the VM */
    uint64_t memory_bytes;                         /* usage on the host */
    uint64_t guest_total, guest_used;              /* as reported by the guest; 0: unknown */
    double cpu_ms;                                 /* total so far */
    double cpu_share;  /* of one core, during the last sample; 0–… */
    double sampled_at; /* when it was sampled; 0: never */
    double timing_total_ms, timing_admission_ms, timing_boot_ms, timing_worker_ms;
    struct lease lease;
    struct last_cell last;
    struct question *question;      /* the oldest that waits (question.h); NULL: none */
    unsigned failures;              /* consecutive failed cells */
    unsigned same_failures;         /* how many times the last failure occurred in a row */
    uint32_t looked_up;             /* the number of cells when the history was requested */
    bool offline;                   /* see SESSION_OFFLINE */
    bool seen;                      /* the user has looked at the cause of its attention */
    bool marked;                    /* by the user */
    uint64_t closing_ns;            /* when the pending close is carried out, monotonic; 0: none */
    char reason[STORE_MESSAGE_MAX]; /* why it is gone */
    struct samples memory, cpu;     /* bytes; share of a core */
    uint64_t order;                 /* increasing: order of arrival */
    bool named;                     /* while a list is being processed */
};

struct pool {
    char image[STORE_NAME_MAX];
    uint32_t ready, target, starting, waiting;
    uint64_t hits, misses;
    uint8_t template_state; /* enum gb_template_state */
};

struct host {
    unsigned cpus;
    uint64_t memory_total, memory_available;
    uint64_t private_bytes, shared_bytes, budget_bytes; /* 0: unknown */
    double open_p50_ms, exec_p50_ms, exec_p99_ms;
    struct samples memory; /* of all VMs, bytes */
    struct samples cpu;    /* of all VMs, share of a core */
    double sampled_at;     /* time of the last of them; 0: never */
};

struct server {
    char version[STORE_NAME_MAX], accel[32], accel_reason[STORE_MESSAGE_MAX];
    bool hardware;   /* the isolation is a security boundary */
    bool told;       /* hello has been answered */
    uint64_t client; /* our number */
    char missing_stages[STORE_MESSAGE_MAX];
    char images[STORE_POOLS_MAX][STORE_NAME_MAX];
    size_t image_count;
};

/* An event of the server, after the store has handled it. @kind as in the protocol; @params is the
 * whole notification. Borrowed for the call. */
struct store_event {
    const char *kind;
    struct gb_bytes session; /* empty: about no session */
    int64_t subscription;
    const struct gb_event_info *told;
    const struct gb_json *params; /* the same as JSON */
};
typedef void store_listen_cb(void *arg, const struct store_event *event);

struct store_listener {
    struct gb_list link;
    store_listen_cb *call;
    void *arg;
};

struct store {
    char name[STORE_HOST_MAX]; /* what the user calls the server; empty: it is the only one */
    unsigned rank;             /* its place among several */
    bool offline;              /* see SESSION_OFFLINE */
    struct gb_list sessions;   /* struct session, in order of arrival */
    struct gb_list ended;      /* the same, from the journal (ended.h) */
    size_t ended_count;
    size_t session_count, gone_count;
    uint64_t next_order;
    struct pool pools[STORE_POOLS_MAX];
    size_t pool_count;
    struct host host;
    struct server server;
    struct gb_languages languages;   /* the server's; hold a reference to keep one */
    int64_t subscription;            /* ours; 0: none */
    bool ready;                      /* a snapshot has been handled */
    bool missed;                     /* events were missed since the last one */
    char trouble[STORE_TROUBLE_MAX]; /* the last one that violated the protocol */
    bool trouble_is_new;
    uint64_t change; /* increases with every change */
    struct gb_list listeners;
};

/* Embed it. */
void store_init(struct store *store);
void store_release(struct store *store);

/* Handles a notification. False if it is not an event. */
bool store_notified(struct store *store, const char *method, const struct gb_json *params);
/* Replies used if a server has no events: to `hello`, `session.list`, `pool.status` and `stats`. */
void store_hello(struct store *store, const struct gb_json *result);
void store_sessions(struct store *store, const struct gb_json *result);
void store_pools(struct store *store, const struct gb_json *result);
void store_stats(struct store *store, const struct gb_json *result);
/* The last cells of a session, from `session.history`: what it did before we came, and whether its
 * failures are the same (which depends on the end of their output, so it has to be requested). */
void store_history(struct store *store, const char *id, const struct gb_json *result);
/* Whether that should be requested for @session now; true once until it changes. */
bool store_wants_history(struct session *session);

/* Something from the server that violates the protocol and was ignored: a server of another
 * version. NULL if there is nothing new. May contain untrusted text. */
const char *store_new_trouble(struct store *store);

/* Embed @listener; borrowed until store_unlisten(). */
void store_listen(struct store *store, struct store_listener *listener, store_listen_cb *call,
                  void *arg);
void store_unlisten(struct store_listener *listener);

/* Also finds those of ended.h. NULL if there is none. Pointers are valid until the next event. */
struct session *store_find(struct store *store, const char *id);
/* The link to the server, one of several, was lost, or is back. */
void store_set_offline(struct store *store, bool offline);
/* What the user calls its server; empty: it is the only one. */
const char *session_host(const struct session *session);
/* The name for display: label, else key, else the start of the id. */
const char *session_title(const struct session *session);
/* The owner, else the client that opened it; empty: unknown. */
const char *session_who(const struct session *session);
/* Both, if both are known: "ada by jupyter". */
void session_owner_text(const struct session *session, char *text, size_t room);
enum session_state session_shown(const struct session *session);
const char *session_state_word(const struct session *session);
/* Whether @word, in lower case, is the displayed state: its word or a prefix of it, or the server's
 * name for it. */
bool session_state_is(const struct session *session, const char *word);
/* The word for a session's `state` and `failed`. */
const char *state_word(enum gb_session_state state, bool failed);
const char *session_state_sign(const struct session *session);
int session_state_role(const struct session *session); /* enum role */
/* What about it needs attention, whether or not the user has looked at it; and what still does. */
enum attention session_trouble(const struct session *session, double now);
enum attention session_attention(const struct session *session, double now);
const char *attention_text(enum attention attention);
bool session_gone(const struct session *session);
/* Whether there is anything that it may reach. */
bool session_has_network(const struct session *session);

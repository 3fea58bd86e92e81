/* SPDX-License-Identifier: Apache-2.0 */
/* What the front end knows of the server: sessions, figures, pool; fed by replies and events.
 *
 * Theory of operation. One subscription tells everything but output. A `snapshot` replaces what was
 * known (marks and the history of figures stay, by id); every other event changes one thing.
 * Strings come from clients and guests: they are kept as they are, bounded, and made harmless by
 * whoever paints them. Sessions that were closed stay for a while, marked as gone, so that a person
 * sees what happened to them. Who wants to know more (the cells of a session with their output)
 * listens: each event is handed on after the store has taken it in.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/list.h"
#include "language/language.h"
#include "model/words.h"
#include "rpc/json.h"

enum {
    STORE_SESSIONS_MAX = 4096,
    STORE_GONE_MAX = 64,     /* closed sessions that are still shown */
    STORE_SAMPLES = 600,     /* figures kept of each session and of the host, a second apart */
    STORE_NAME_MAX = 160,    /* bytes of a name */
    STORE_MESSAGE_MAX = 256, /* bytes of a reason */
    STORE_POOLS_MAX = 32,
    STORE_CODE_MAX = 400,   /* bytes of the last cell's code */
    STORE_HISTORY = 5,      /* cells that are looked up */
    STORE_ERROR_MAX = 4096, /* bytes of their output */
    STORE_TROUBLE_MAX = 512,
};

enum session_state {
    SESSION_STARTING = GB_SESSION_STARTING,
    SESSION_IDLE = GB_SESSION_IDLE,
    SESSION_RUNNING = GB_SESSION_RUNNING,
    SESSION_WAITING = GB_SESSION_WAITING_INPUT,
    SESSION_CLOSED = GB_SESSION_CLOSED,
    SESSION_LOST = GB_SESSION_LOST, /* its VM, or its server, died */
    /* Not told by the server as a state: idle, and the last cell failed. What is shown, found,
     * sorted and counted goes by session_shown(). */
    SESSION_FAILED,
    SESSION_CLOSING, /* the person closed it, and may still take that back */
    SESSION_STATE_COUNT
};

/* Why a session wants to be looked at, the most pressing first. */
enum attention {
    ATTENTION_INPUT,  /* a cell waits for input */
    ATTENTION_LOST,   /* it died */
    ATTENTION_REPEAT, /* the same error three times in a row */
    ATTENTION_FAILED, /* its last cell failed */
    ATTENTION_LIMIT,  /* its memory is nearly used up, or it will close soon */
    ATTENTION_NONE,
    ATTENTION_COUNT
};

/* The last values, the newest last. */
struct samples {
    float values[STORE_SAMPLES];
    size_t count;
};

struct last_cell {
    uint32_t number; /* 0: none so far */
    char client[STORE_NAME_MAX];
    char code[STORE_CODE_MAX]; /* its beginning */
    bool running, waiting, failed, stopped;
    double started_at, wall_ms;
};

struct lease {
    bool held, human, mine;
    char holder[STORE_NAME_MAX];
    char note[STORE_MESSAGE_MAX];
    double since;
    uint32_t waiting; /* cells that wait for its end */
};

struct session {
    struct gb_list link; /* in struct store */
    char id[STORE_NAME_MAX];
    char label[STORE_NAME_MAX], key[STORE_NAME_MAX], owner[STORE_NAME_MAX];
    char client[STORE_NAME_MAX]; /* who opened it */
    char image[STORE_NAME_MAX], language[STORE_NAME_MAX], source[32], network[32];
    char parent[STORE_NAME_MAX]; /* the session that it was forked from; empty: none */
    enum session_state state;
    bool run; /* the VM of a `run` */
    uint32_t incarnation, cells;
    double created_at, last_active_at, expires_at; /* Unix seconds; 0: never */
    uint64_t memory_limit_bytes;                   /* RAM of the VM */
    uint64_t memory_bytes;                         /* what it takes of the host */
    uint64_t guest_total, guest_used;              /* as the guest sees it; 0: not known */
    double cpu_ms;                                 /* used so far */
    double cpu_share;                              /* of one core, over the last sample; 0–… */
    double sampled_at;                             /* when that was; 0: never */
    double timing_total_ms, timing_admission_ms, timing_boot_ms, timing_worker_ms;
    struct lease lease;
    struct last_cell last;
    unsigned failures;              /* cells that failed one after the other */
    unsigned same_failures;         /* how often the last failure came in a row */
    uint32_t looked_up;             /* the number of cells when history was asked for */
    bool seen;                      /* its attention was looked at */
    bool marked;                    /* by the person */
    uint64_t closing_ns;            /* when the person's word closes it, monotonic; 0: it stays */
    char reason[STORE_MESSAGE_MAX]; /* why it is gone */
    struct samples memory, cpu;     /* bytes; share of a core */
    uint64_t order;                 /* rises: the order of their coming */
    bool named;                     /* while a list is taken in */
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
    uint64_t private_bytes, shared_bytes, budget_bytes; /* 0: not told */
    double open_p50_ms, exec_p50_ms, exec_p99_ms;
    struct samples memory; /* of all VMs, bytes */
    struct samples cpu;    /* of all VMs, share of a core */
    double sampled_at;     /* when the last of them were taken; 0: never */
};

struct server {
    char version[STORE_NAME_MAX], accel[32], accel_reason[STORE_MESSAGE_MAX];
    bool hardware;   /* the isolation is a boundary */
    bool told;       /* hello was answered */
    uint64_t client; /* our number */
    char missing_stages[STORE_MESSAGE_MAX];
    char images[STORE_POOLS_MAX][STORE_NAME_MAX];
    size_t image_count;
};

/* An event of the server, after the store has taken it in. @kind as in the protocol; @params is the
 * whole notification. Borrowed for the call. */
struct store_event {
    const char *kind;
    struct gb_bytes session; /* empty: of no session */
    int64_t subscription;
    const struct gb_json *params; /* `info`, `lease`, … are in here */
};
typedef void store_listen_cb(void *arg, const struct store_event *event);

struct store_listener {
    struct gb_list link;
    store_listen_cb *call;
    void *arg;
};

struct store {
    struct gb_list sessions; /* struct session, in the order of their coming */
    size_t session_count, gone_count;
    uint64_t next_order;
    struct pool pools[STORE_POOLS_MAX];
    size_t pool_count;
    struct host host;
    struct server server;
    struct gb_languages languages;   /* those of the server; who keeps one holds a reference */
    int64_t subscription;            /* ours; 0: none */
    bool ready;                      /* a snapshot was taken in */
    bool missed;                     /* events, since the last one */
    char trouble[STORE_TROUBLE_MAX]; /* the last that was not as the protocol says */
    bool trouble_is_new;
    uint64_t change; /* rises with every change */
    struct gb_list listeners;
};

/* Embed it. */
void store_init(struct store *store);
void store_release(struct store *store);

/* Takes a notification in. False when it was none that is understood. */
bool store_notified(struct store *store, const char *method, const struct gb_json *params);
/* The replies that the store lives from where a server has no events: of `hello`, `session.list`,
 * `pool.status` and `stats`. */
void store_hello(struct store *store, const struct gb_json *result);
void store_sessions(struct store *store, const struct gb_json *result);
void store_pools(struct store *store, const struct gb_json *result);
void store_stats(struct store *store, const struct gb_json *result);
/* The last cells of a session, of `session.history`: what it did before we came, and whether its
 * failures are the same one (which takes the end of what they wrote, so it has to be asked for). */
void store_history(struct store *store, const char *id, const struct gb_json *result);
/* Whether that is to be asked for @session now; says so once until it changes. */
bool store_wants_history(struct session *session);

/* What the server said that is not as the protocol says, and was left out: a server of another
 * version. NULL when there is nothing new. Foreign text may be in it. */
const char *store_new_trouble(struct store *store);

/* Embed @listener; borrowed until store_unlisten(). */
void store_listen(struct store *store, struct store_listener *listener, store_listen_cb *call,
                  void *arg);
void store_unlisten(struct store_listener *listener);

/* NULL when there is none. Pointers are good until the next event. */
struct session *store_find(struct store *store, const char *id);
/* What a person would call it: label, else key, else the beginning of the id. */
const char *session_title(const struct session *session);
/* Whose it is: of its owner, else of the client that opened it; empty: not told. */
const char *session_who(const struct session *session);
/* Both, where both are told: "ada by jupyter". */
void session_owner_text(const struct session *session, char *text, size_t room);
enum session_state session_shown(const struct session *session);
const char *session_state_word(const struct session *session);
/* Whether @word, in small letters, names the state that is shown: its word or a beginning of it, or
 * the server's name for it. */
bool session_state_is(const struct session *session, const char *word);
/* The word for what `state` and `failed` of a session say. */
const char *state_word(enum gb_session_state state, bool failed);
const char *session_state_sign(const struct session *session);
int session_state_role(const struct session *session); /* enum role */
/* What of it wants a person, whether or not that was looked at; and what still does. */
enum attention session_trouble(const struct session *session, double now);
enum attention session_attention(const struct session *session, double now);
const char *attention_text(enum attention attention);
bool session_gone(const struct session *session);

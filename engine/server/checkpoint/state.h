/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of this part. Private.
 *
 * Theory of operation. A request about a session's past is a *job*: a checkpoint, a rewind, or a
 * fork. A session runs one at a time, and the others wait. A job starts when nothing is in progress
 * in the session (no cell, request or file transfer), and waits for that only for a limited time.
 * So no client has half a file in the guest when its memory changes. Then the session is held, and
 * all requests wait until the job releases it.
 *
 * A checkpoint: hold → copy → release → write → mark. The session continues while it is written. A
 * rewind: hold → (a checkpoint of the present, unless there is one) → another VM is made for the
 * wanted moment → exchange → mark. With its mark (restore.c) the session comes back from there
 * if the server ends; only then a client is answered. If that fails, the session is released
 * unchanged. A fork: a checkpoint, unless the wanted one exists, for which nothing has to be at
 * rest → children are made of it, one VM after the other (fork.c). A rollback, after a cell with
 * which the interpreter has ended (rollback.c): nothing else in progress → set aside → another VM
 * is made → exchange; the present is not kept.
 *
 * Falling asleep (sleep.c): hold → (a checkpoint, unless there is one) → the VM is ended, unless a
 * request has arrived in the meantime. Waking: capacity as for a new session → a VM is made of the
 * last checkpoint → the session gets it. It is started by a client's request, by any use of the
 * session, and before any other job that needs the VM. Relapsing, because a VM cannot get what the
 * session needs besides: as soon as no job has started, the VM is ended, and the session is asleep
 * at its last checkpoint, in a new epoch. */
#pragma once

#include "base/list.h"
#include "capacity/admission.h"
#include "past/lives.h"
#include "past/past.h"
#include "server/core/hosted.h"
#include "server/core/part.h"
#include "server/core/request.h"
#include "settings/settings.h"

struct folder_lock;

struct checkpoint_server {
    char *folder;             /* NULL: none can be taken */
    struct folder_lock *lock; /* if there is a folder: no other server uses it */
    struct gb_err why;        /* the reason */
    uint64_t bytes;           /* of all sessions, on disk */
    size_t diffs;             /* comparisons under way */
    size_t saving;            /* jobs for whose end the shutdown waits */
    /* restore.c */
    struct gb_deferred restore;
    struct gb_list noted;   /* the chains with a note that have not been restored yet */
    struct gb_list missing; /* the sessions that could not be restored */
};

/* Whoever takes the one child of a fork instead of the client. Exactly one of these is called. */
struct fork_taker {
    /* @child NULL: there is none, for the reason in @err. Takes @request. */
    void (*take)(void *arg, struct request *request, struct hosted *child,
                 const struct gb_past_moment *moment, const struct gb_err *err);
    /* The request has been answered, or has gone. NULL: there is no taker. */
    void (*drop)(void *arg);
    void *arg;
};

/* The target: the first of these members that is given. */
struct job_target {
    uint64_t seq; /* 0: not given */
    int64_t cell; /* −1: not given */
    const char *name;
    int64_t cells; /* back by this many; resolved to `cell` once the session is at rest. Negative:
                    * forward */
    int64_t steps; /* the same for checkpoints */
    bool of_line;  /* with `cell`: it must lead to the present */
};

enum job_kind { JOB_CHECKPOINT, JOB_REWIND, JOB_FORK, JOB_ROLLBACK, JOB_SLEEP, JOB_WAKE };

struct job {
    struct gb_list link; /* in `waiting` of its session, or in no list */
    struct hosted *hosted;
    struct request *request; /* NULL: no request, or it has gone */
    enum job_kind kind;
    bool released;          /* the session is running again */
    bool before_cell;       /* the next cell waits until it is released */
    bool is_last;           /* the shutdown waits for its end */
    bool asked;             /* requested by a client */
    bool drops, interrupts; /* of a rewind, and not done yet: queued cells, the running one */
    char *name;             /* of the checkpoint, or of the target; NULL: none */
    struct job_target target;
    uint64_t begun_ns, from_seq;
    uint64_t held_ns;           /* when the session had last changed, as it was brought to rest */
    uint32_t cells;             /* how many there were when it started */
    uint32_t cell;              /* the last of them that is not undone */
    struct gb_slot *slot;       /* of the new VM */
    struct gb_loan loan;        /* for what has been copied of the guest */
    uint64_t room;              /* how much could be copied at most; UINT64_MAX: no limit */
    struct gb_past_taken taken; /* by it */
    void (*marked)(struct hosted *hosted); /* the next step once the mark is on disk */
    struct gb_timer *patience;
    bool expires;            /* falls asleep, or is closed as expired */
    uint64_t since_ns;       /* unless asked for: when it was last active; else it stays awake */
    struct gb_ticket ticket; /* of a wake */
    uint64_t wait_ms;        /* of it, for capacity */
    struct job_fork {        /* of a fork */
        size_t count;
        uint64_t wait_ms; /* of each child, for capacity */
        char *label;      /* NULL: the session's */
        bool bound;       /* to the connection of the request */
        bool alone;       /* without a network: see session_forked in part.h */
        struct fork_taker taker;
    } fork;
    struct job_rollback { /* of a rollback */
        const struct job_rollback_calls *calls;
        uint64_t before_ns; /* when the session had last changed before the cell */
        bool waits;         /* the result of the cell waits for it: */
        struct rollback_wait wait;
        struct rollback told;
    } rollback;
};

/* What jobs call of rollback.c, which stands on them. */
struct job_rollback_calls {
    /* The job has started, and the session is set aside. */
    void (*begin)(struct hosted *hosted);
    /* It has ended, and has left the session. @done: the session was taken back. Takes @job;
     * @hosted may be gone afterwards. */
    void (*end)(struct hosted *hosted, struct job *job, bool done);
};

/* What they call of sleep.c, which does so too. */
struct job_rest {
    /* False, and GB_EBUSY: the job is to put an idle session to sleep, and it is no longer idle. */
    bool (*may_begin)(struct hosted *hosted, const struct job *job, struct gb_err *err);
    /* The checkpoint of the present exists, and the session is held: puts it to sleep. */
    void (*fall)(struct hosted *hosted);
    /* The job that has started is to wake the session. */
    void (*wake)(struct hosted *hosted);
    /* The session is asleep already, or awake: answers the job that has started. */
    void (*tell)(struct hosted *hosted);
    /* A VM for the session, which is asleep; NULL: there is none. */
    void (*go_on)(struct hosted *hosted, struct gb_clone *clone, const struct gb_err *err);
    /* The session cannot be put to sleep, or woken, for this reason; called before the job is
     * refused. May close the session. */
    void (*failed)(struct hosted *hosted, const struct job *job, const struct gb_err *err);
    /* Puts a wake before the jobs that wait. */
    void (*rouse)(struct hosted *hosted);
    /* Starts, or stops, the wait after which it is put to sleep. */
    void (*watch)(struct hosted *hosted);
    /* Whether it relapses now, so that no job may begin. */
    bool (*relapse)(struct hosted *hosted);
};

struct fork;
struct fork_child;

struct checkpoint_session {
    struct gb_past *past; /* NULL: nothing was taken yet */
    char *template;       /* what its states depend on: checkpoint_describe(); NULL: no past */
    struct gb_lives lives;
    struct gb_timer *idle;                /* until the next automatic one */
    void (*watch)(struct hosted *hosted); /* starts or stops it */
    struct gb_err trouble;   /* why the last automatic one was not taken; code GB_OK: it was */
    uint64_t trouble_ns;     /* when the session had last changed then */
    unsigned refusals;       /* how often since, because the guest was busy */
    struct gb_timer *drowsy; /* until it is put to sleep */
    const struct job_rest *rest;
    struct gb_list waiting;     /* jobs */
    struct job *job;            /* the one that has started */
    struct gb_deferred turn;    /* of the next one */
    struct gb_deferred parting; /* from its past, once the session has ended */
    struct fork *fork;          /* its work, if it is a fork whose children are being made */
    struct fork_child *birth;   /* NULL once it is open, and if it was not forked */
    uint64_t counted_bytes;     /* of it, included in the server's total */
    enum gb_settings_checkpoints policy; /* for this session, if it has its own: */
    bool has_policy;
    const struct connection *bound; /* it is closed with this connection; NULL: with none */
    bool is_known;                  /* nothing has changed it since its last checkpoint */
    bool has_lost;                  /* cells, and nobody was told so yet: */
    const char *lost_how;           /* why */
    uint32_t lost_after;            /* those after this one */
    struct gb_err failing;          /* why it is to relapse; code GB_OK: it is not */
    bool relapses;                  /* its VM is being ended for that */
    bool relapse_loses;             /* what has changed since the last checkpoint */
    bool too_large;                 /* no automatic ones until a client has requested one */
    uint64_t known_ns;              /* when it had last changed at that time */
    uint64_t tried_ns; /* the same, at the last attempt at an automatic one, successful or not */
    /* It is not put to sleep automatically before this time, because an attempt has failed; 0: no
     * failure. And the delay used for that. */
    uint64_t retry_ns, retry_ms;
};

/* ---- state.c ---- */

extern const struct part_state checkpoint_sizes;

static inline struct checkpoint_session *checkpoint_of(struct hosted *hosted)
{
    return part_of_session(hosted, &checkpoint_sizes);
}

static inline struct checkpoint_server *checkpoint_of_server(const struct gb_server *server)
{
    return part_of_server(server, &checkpoint_sizes);
}

/* When checkpoints of it are taken: as its opener requested, else according to the settings; never
 * if these turn them off. */
enum gb_settings_checkpoints checkpoint_policy(struct hosted *hosted);
/* Whether they are also taken without being asked for. */
bool checkpoint_is_automatic(struct hosted *hosted);
/* Lets the next cell wait for the checkpoint before it, if that is its policy. */
void checkpoint_announce(struct hosted *hosted);
/* 0; or GB_ENOPAST, or GB_ECAPACITY, and why no checkpoint of this session can be taken. */
int checkpoint_may_be(struct hosted *hosted, struct gb_err *err);
/* The same, and creates its past if necessary. */
int checkpoint_make_past(struct hosted *hosted, struct gb_err *err);
/* An empty one, of a session whose VMs are clones of @snapshot. @disk_fd: what is behind their
 * spare disk (taken); -1: nothing. Gives. */
struct gb_past *checkpoint_new_past(struct hosted *hosted, struct gb_snapshot *snapshot,
                                    int disk_fd);
/* What the checkpoints of one session may take on disk, so that there is room for those of all: the
 * older ones are thinned out. */
uint64_t checkpoint_share(const struct gb_server *server);
/* The session of the request; NULL: the request was refused. @adds: it may need another
 * checkpoint. */
struct hosted *checkpoint_find(struct request *request, const struct gb_params *params, bool adds);
/* A job requested by a client. */
struct job *checkpoint_new_job(struct request *request, struct hosted *hosted,
                               struct gb_bytes name);
/* Adds what a state of the session depends on. */
int checkpoint_describe(struct hosted *hosted, struct gb_buf *text, struct gb_err *err);
/* Whether the session's last checkpoint still describes its present state. */
bool checkpoint_is_now(struct hosted *hosted);
/* The same, and no cell waits that would change it. */
bool checkpoint_is_last(struct hosted *hosted);
/* Whether the session is to come back if its server ends: one that ends with its client, or with
 * its cell, is not, because nobody would end it then; nor is one that is being closed. */
bool checkpoint_outlives_server(struct hosted *hosted);
/* Records that it does, from now on. */
void checkpoint_is_known(struct hosted *hosted);
/* Updates the total after the size of the session's chain has changed. */
void checkpoint_count(struct hosted *hosted);

/* ---- job.c ---- */

/* Takes @job. */
void job_add(struct job *job, uint64_t wait_ms);
/* Starts the next one, if it may start now. */
void job_next(struct hosted *hosted);
/* The session is ending: fails all of them. */
void job_end_all(struct hosted *hosted, const struct gb_err *why);

void job_free(struct job *job);
/* The one that has started is done, and has been reported. */
void job_over(struct hosted *hosted);
/* Takes @job, which begins before those that wait. */
void job_add_first(struct job *job, uint64_t wait_ms);
/* Makes a VM from checkpoint @seq, with which the session continues. */
void job_return_to(struct hosted *hosted, uint64_t seq);
/* Whether it is a wake that gave up waiting for capacity, while other requests still wait. */
bool job_is_impatient(const struct job *job, const struct gb_err *err);
/* The session stays asleep: refuses those that wait for its VM. */
void job_refuse_waiting(struct hosted *hosted, const struct gb_err *err);
/* The one that has started has failed. */
void job_fail(struct hosted *hosted, const struct gb_err *err);

/* ---- rollback.c ---- */

bool rollback_on_interpreter_lost(struct hosted *hosted, const struct gb_cell *cell);
bool rollback_await(struct hosted *hosted, uint32_t cell, const struct rollback_wait *wait);
/* The session has ended, or has no VM to go back with: ends a waiting rollback. */
void rollback_on_session_closed(struct hosted *hosted);
/* And one that has started, which will not hear of its VM. */
void rollback_give_up(struct hosted *hosted);

/* ---- sleep.c ---- */

void sleep_on_session(struct hosted *hosted);
void sleep_on_wanted(struct hosted *hosted);
bool sleep_on_expiring(struct hosted *hosted);
bool sleep_on_failing(struct hosted *hosted, const char *reason);

void sleep_handle(struct request *request, const struct gb_params *params);
void sleep_handle_wake(struct request *request, const struct gb_params *params);

/* ---- restore.c ---- */

/* Whether its states can be loaded here, today; else GB_EGONE, and what is different. */
bool restore_fits(struct hosted *hosted, struct gb_err *err);
/* Adds the session's note, as of its last checkpoint. */
void restore_write(struct hosted *hosted, struct gb_buf *text);
/* Removes what belongs to no sleeping session, and restores the sessions that an earlier server
 * left asleep. Called when every part has started, and before the first client is accepted. */
void restore_begin(struct gb_server *server);
void restore_end(struct gb_server *server);
/* Says why the session with this id could not be restored, if it could not. */
bool restore_explain(struct gb_server *server, struct gb_bytes id, struct gb_err *err);
/* Removes it, and answers @request; false: there is none with this id. The folder stays locked
 * until that is over, even without the server. */
bool restore_close(struct gb_server *server, struct request *request, struct gb_bytes id);

/* ---- fork.c ---- */

/* Starts making the children of the current job, from checkpoint @seq. Calls @over when the session
 * is no longer needed for that, possibly from within the call; not if the session ends first. */
void fork_begin(struct hosted *hosted, uint64_t seq, void (*over)(struct hosted *hosted));
/* The session is ending: no further child can be made of it. */
void fork_parent_ended(struct fork *fork);
/* A child is open; or it is ending, with @err. */
void fork_child_born(struct fork_child *child, const struct gb_err *err);

/* ---- target.c ---- */

/* The checkpoint that is meant; 0, and GB_EGONE. With @steps, the session's last checkpoint must be
 * that of its present state. */
uint64_t target_find(const struct gb_past *past, const struct job_target *target,
                     struct gb_err *err);
/* The same before the checkpoint of the present is taken; 0: none, or not known yet. */
uint64_t target_ahead(const struct gb_past *past, const struct job_target *target,
                      struct gb_err *err);
/* The nearest one. NULL: none. */
const struct gb_past_moment *target_nearest(const struct gb_past *past,
                                            const struct job_target *target);
/* Fails @request; with GB_EGONE, the error's data has the nearest one. @past may be NULL. */
void target_refuse(struct request *request, const struct gb_past *past,
                   const struct job_target *target, const struct gb_err *err);

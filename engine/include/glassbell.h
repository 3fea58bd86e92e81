/* SPDX-License-Identifier: Apache-2.0 */
/* libglassbell: run untrusted code in QEMU microVMs, with sessions that keep their state, can be
 * taken back to earlier moments, and reach what they are permitted to reach.
 *
 * An engine is the server of docs/protocol.md without its socket, in the caller's process: the same
 * sessions, from the same pool of VMs (docs/pool.md), with the same checks, limits and errors. The
 * functions below cover what most programs need; glassbell_call() makes any other call of the
 * protocol.
 *
 * The library runs on the caller's libuv loop, in the thread that runs it, and never blocks it,
 * except to read the journal of a `store` when that is opened, and to finish it when it is closed.
 * Every call that takes time reports its completion through a callback, which is called exactly
 * once, from the loop, never from within the call itself. Strings and bytes passed to callbacks are
 * borrowed: they are valid during the callback. Sizes are in bytes, times in milliseconds, points
 * in time in seconds since 1970.
 *
 * A session may have 256 calls under way, and 256 cells waiting, of 128 MiB together; more fail
 * with "busy". Members of structs are only added at the end; a program that was compiled with an
 * older header has to be compiled again, since the library does not know the size of what it
 * passes.
 *
 * See examples/hello.c and examples/time_travel.c for first programs, docs/protocol.md for the
 * meaning of each field and for the errors of each call, and docs/network.md for rules and secrets.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GLASSBELL_API __attribute__((visibility("default")))

struct glassbell;         /* an engine: images, accelerator, isolation */
struct glassbell_session; /* one VM and its state */

/* Why a call failed. A program that fails is not an error: it yields a result with an exit code. */
struct glassbell_error {
    const char *kind;    /* "capacity", "session_closed", …: docs/errors.md */
    const char *message; /* a sentence for people */
    bool dispatched;     /* the code may have run */
    bool retryable;      /* nothing ran; the same call may succeed later */
};

/* NULL or zero members mean the default. */
struct glassbell_options {
    const char *images; /* folder of the guest images */
    /* Private folder for the registry of VMs, cached probe results and templates; NULL: the one
     * shared by all programs and servers of this user. */
    const char *state;
    const char *launcher;   /* path of glassbell-launcher */
    bool require_isolation; /* fail if any isolation stage is unavailable */
    /* A settings file (docs/settings.md). NULL: the defaults. Of its section server nothing
     * applies, and of journal not `path`. */
    const char *settings;
    /* Private folder of this engine alone, created if necessary, for what sessions leave on disk:
     * their checkpoints, the journal of their cells and connections, recordings of terminals. It
     * must be on the file system of `state`. NULL: sessions have no past (errors of the kind
     * "no_past"), and nothing is recorded. "busy": another engine uses it. */
    const char *store;
    /* Notifications of the protocol that calls of glassbell_call() have asked for, such as events
     * and the output of terminals. @params is a JSON object. May be NULL. @arg is that of
     * glassbell_open(). */
    void (*notified)(void *arg, const char *method, const char *params);
};

/* Exactly one of @engine and @error is NULL. */
typedef void glassbell_open_fn(void *arg, struct glassbell *engine,
                               const struct glassbell_error *error);

/* Opens an engine: finds QEMU and the images and determines which accelerator works (once per host,
 * by booting a tiny guest). Borrows @loop until the engine is closed. If SIGPIPE still has its
 * default action, it is ignored from now on, so that no peer of a session that hangs up ends the
 * program. */
GLASSBELL_API void glassbell_open(uv_loop_t *loop, const struct glassbell_options *options,
                                  glassbell_open_fn *opened, void *arg);

/* Closes all sessions, then the engine. In an engine with a `store` those that were opened with a
 * key and have a checkpoint are kept there, and the next engine with that store opens them by their
 * key, in the state in which they were. Calls that are under way fail. When the loop has run until
 * @closed (may be NULL) was called and nothing of ours is active, nothing of ours is left on it.
 * The engine and its sessions must not be used after this call. */
GLASSBELL_API void glassbell_close(struct glassbell *engine, void (*closed)(void *arg), void *arg);

/* "kvm" or "tcg". With "tcg" the guest is emulated, which is not a security boundary. */
GLASSBELL_API const char *glassbell_accelerator(const struct glassbell *engine);

struct glassbell_question; /* a connection that waits for a decision: see Network */

/* When checkpoints are taken. */
enum glassbell_checkpoints {
    GLASSBELL_CHECKPOINTS_SETTINGS, /* as the settings say: by default, when it is idle */
    GLASSBELL_CHECKPOINTS_OFF,
    GLASSBELL_CHECKPOINTS_ASKED, /* by glassbell_session_checkpoint() alone */
    GLASSBELL_CHECKPOINTS_IDLE,  /* after a cell, when the session is idle */
    GLASSBELL_CHECKPOINTS_CELL,  /* after each cell; the next one waits for that */
};

struct glassbell_session_options {
    const char *image;      /* "python" (default), "javascript", "shell", or another image's name */
    uint32_t memory_mb;     /* 0: the image's */
    uint32_t timeout_ms;    /* default for its cells; 0: as in the settings (30,000) */
    uint64_t idle_ms;       /* close after being idle for this long; 0: never */
    uint64_t lifetime_ms;   /* 0: no limit */
    uint64_t wait_ms;       /* how long to wait for capacity; 0: as in the settings */
    const char *const *env; /* "NAME=value", …, NULL */
    /* Called when the session ends by itself or with its VM; may be NULL. Not called if opening the
     * session failed. The pointer is invalid afterwards. */
    void (*closed)(void *arg, struct glassbell_session *session, const struct glassbell_error *why);

    /* Opens the session with this key, if there is one: in this engine, or kept in its `store`; the
     * other parameters then are those that it was opened with, and `image` must be the same. */
    const char *key;
    const char *label; /* a name for people */
    enum glassbell_checkpoints checkpoints;
    /* What it may reach (docs/network.md): the name of a [network] of the settings or of a preset;
     * or rules, a line each: "allow example.org", …, NULL. Both NULL: nothing. */
    const char *network;
    const char *const *network_rules;
    const char *const *secrets;  /* names of the settings' [secret] that it may use, …, NULL */
    const char *const *packages; /* "NAME" or "NAME==VERSION" of its language, …, NULL */
    /* A connection waits for a decision, because a rule says `ask`: call
     * glassbell_session_answer() now or later. Until then it waits, for as long as the settings
     * say. NULL: such connections are refused. */
    void (*question)(void *arg, struct glassbell_session *session,
                     const struct glassbell_question *question);
    /* Programs in the guest have started or stopped listening: the ports on which they listen now,
     * ascending. May be NULL. */
    void (*listening)(void *arg, struct glassbell_session *session, const uint16_t *ports,
                      size_t count);
};

typedef void glassbell_session_fn(void *arg, struct glassbell_session *session,
                                  const struct glassbell_error *error);

/* Opens a session: calls @opened with it when its interpreter is warm, or with an error. @arg is
 * passed to `closed` too. */
GLASSBELL_API void glassbell_session_open(struct glassbell *engine,
                                          const struct glassbell_session_options *options,
                                          glassbell_session_fn *opened, void *arg);

/* Takes up the open session with this id, perhaps one that an engine has left in the `store` when
 * its process died. Of @options (may be NULL) only the callbacks apply. "not_found",
 * "session_closed". */
GLASSBELL_API void glassbell_session_attach(struct glassbell *engine, const char *id,
                                            const struct glassbell_session_options *options,
                                            glassbell_session_fn *opened, void *arg);

/* Closes the session, and removes its past; cells in flight fail. The pointer is invalid after the
 * call; `closed` is not called. */
GLASSBELL_API void glassbell_session_close(struct glassbell_session *session);

GLASSBELL_API const char *glassbell_session_id(const struct glassbell_session *session);
/* Where the session's VM came from: "pool", "template", "boot" or "fork"; "" if it was attached to.
 * Valid once it is open. */
GLASSBELL_API const char *glassbell_session_source(const struct glassbell_session *session);

enum glassbell_mode {
    GLASSBELL_KERNEL,  /* in the session's interpreter */
    GLASSBELL_PROCESS, /* in a fresh process of the same language */
    GLASSBELL_SHELL,   /* by bash in the same VM */
};

struct glassbell_bytes {
    const char *data;
    size_t size;
};

struct glassbell_exec_options {
    const char *code; /* in any encoding that the language accepts; NULL: none */
    enum glassbell_mode mode;
    uint32_t timeout_ms;             /* 0: the session's */
    uint64_t max_stdout, max_stderr; /* 0: 1 MiB and 256 KiB; at most 64 MiB */
    const char *const *env;          /* for this cell; "NAME=value", …, NULL */
    struct glassbell_bytes input;    /* standard input, then end of file */
    /* Runs a program: the code is written to the home under this name and run as the language's own
     * command would run that file; without code the file must exist already. NULL: a cell. */
    const char *file;
    const char *const *args; /* "argument", …, NULL; for a program, or as after `python3 -c CODE` */
    /* The last cell: the interpreter exits with it as a process does, and no further cell can
     * run. */
    bool final;
    /* Called with output as it is produced; may be NULL. @stream is 1 or 2. */
    void (*output)(void *arg, int stream, struct glassbell_bytes bytes);
    /* If its interpreter has to be killed because of this cell, the session gets a new one, even if
     * there is a checkpoint to roll it back to. */
    bool no_rollback;
};

struct glassbell_display {
    const char *mime;
    struct glassbell_bytes data;
};

enum glassbell_change { GLASSBELL_ADDED, GLASSBELL_CHANGED, GLASSBELL_REMOVED };

/* A regular file in the home that was created, changed or removed. */
struct glassbell_file {
    struct glassbell_bytes path; /* relative to the home and always inside it; any bytes but NUL */
    enum glassbell_change change;
    uint64_t size; /* current size; 0 if removed */
};

/* The interpreter had to be killed because of a cell (a time-out, no memory), and the session with
 * its files was taken back to a checkpoint instead of losing its state. */
struct glassbell_rollback {
    uint64_t checkpoint;
    uint32_t cell; /* the last cell before it */
    uint32_t lost; /* cells right before this one that are undone, too */
};

/* The outcome of a cell. Each fact has its own field: no code has two meanings. */
struct glassbell_result {
    uint32_t cell;
    int exit_code; /* 0–255, or −1 if it did not exit */
    int signal;    /* signal number, or 0 */
    bool timed_out, interrupted, oom;
    bool state_lost; /* the interpreter was restarted after this cell */
    struct glassbell_bytes out, err;
    uint64_t out_left_out, err_left_out; /* bytes beyond the limits */
    struct glassbell_bytes value;        /* repr of the last expression; NULL data: none */
    const struct glassbell_display *displays;
    size_t display_count;
    const struct glassbell_file *files;
    size_t file_count;
    bool files_cut; /* the list is truncated */
    double wall_ms, cpu_ms;
    uint64_t peak_memory;
    const struct glassbell_rollback *rolled_back; /* NULL: it was not */
    struct glassbell_bytes
        note; /* what went wrong, in sentences for people and models; size 0: none */
    /* Connections and names that were refused since the last cell: "example.org:443 (no_rule)", at
     * most eight, then NULL. */
    const char *const *network_refused;
    bool unrecorded; /* the journal could not be written */
};

/* Exactly one of @result and @error is NULL. */
typedef void glassbell_exec_fn(void *arg, const struct glassbell_result *result,
                               const struct glassbell_error *error);

/* Runs a cell after those queued before it. Copies the options, but not `output`'s @arg. If the
 * session is asleep, it wakes. */
GLASSBELL_API void glassbell_exec(struct glassbell_session *session,
                                  const struct glassbell_exec_options *options,
                                  glassbell_exec_fn *done, void *arg);

/* Sends SIGINT to the running cell; the session keeps its state. No-op if none runs. */
GLASSBELL_API void glassbell_interrupt(struct glassbell_session *session);

typedef void glassbell_file_fn(void *arg, struct glassbell_bytes content,
                               const struct glassbell_error *error);

/* Reads or writes a whole file below the session's home, at most 64 MiB. A file is written
 * atomically. Copies @content; @mode 0 means 0644. */
GLASSBELL_API void glassbell_file_write(struct glassbell_session *session, const char *path,
                                        struct glassbell_bytes content, uint32_t mode,
                                        glassbell_file_fn *done, void *arg);
GLASSBELL_API void glassbell_file_read(struct glassbell_session *session, const char *path,
                                       glassbell_file_fn *done, void *arg);

/* ---- The past (docs/protocol.md, "The past of a session"; an engine with a `store`) ----
 *
 * A checkpoint is a session at one moment: memory, files, processes. They are taken by themselves
 * (enum glassbell_checkpoints) and on request; old ones are thinned out, those with a name last.
 * Everything here waits until nothing is in progress in the session, for at most ten seconds unless
 * said otherwise, and then fails with "busy". "no_past": the session has no checkpoints; "gone":
 * there is no such one, and the message says which is the nearest. */

enum glassbell_moment_kind {
    GLASSBELL_NOW,           /* for forks: the present state */
    GLASSBELL_AFTER_CELL,    /* the newest checkpoint after cell `number`; 0: before the first */
    GLASSBELL_AT_CHECKPOINT, /* the checkpoint `number` */
    GLASSBELL_AT_NAME,       /* the checkpoint `name` */
};

struct glassbell_moment {
    enum glassbell_moment_kind kind;
    uint64_t number;
    const char *name;
};

struct glassbell_checkpoint {
    uint64_t seq;     /* its number */
    uint64_t parent;  /* the checkpoint before it; 0: none */
    uint32_t cell;    /* the last cell that had ended by then */
    uint64_t epoch;   /* of the session, at the time */
    double at;        /* when it was taken */
    uint64_t size;    /* on disk */
    const char *name; /* NULL: none */
    bool here;        /* the session's present state follows it */
};

/* Borrowed for the callback. */
struct glassbell_past {
    const struct glassbell_checkpoint *checkpoints; /* by number */
    size_t count;
    uint64_t epoch; /* 1, incremented by each rewind */
    uint64_t size;  /* of all, on disk */
    const char
        *missing; /* why there is none of the present state; NULL: there is, or soon will be */
};

/* Here and below: exactly one of the last two arguments is NULL. */
typedef void glassbell_past_fn(void *arg, const struct glassbell_past *past,
                               const struct glassbell_error *error);
GLASSBELL_API void glassbell_session_checkpoints(struct glassbell_session *session,
                                                 glassbell_past_fn *done, void *arg);

struct glassbell_kept {
    uint64_t seq;
    uint32_t cell;
    uint64_t size;   /* on disk */
    uint64_t pages;  /* of 4 KiB that had changed */
    double pause_ms; /* how long the VM was paused */
};
typedef void glassbell_kept_fn(void *arg, const struct glassbell_kept *kept,
                               const struct glassbell_error *error);
/* Takes a checkpoint. @name pins it: those with a name are removed last, and a name moves here from
 * an older one; NULL: none. */
GLASSBELL_API void glassbell_session_checkpoint(struct glassbell_session *session, const char *name,
                                                glassbell_kept_fn *done, void *arg);

struct glassbell_rewound {
    uint64_t seq;  /* the checkpoint that the session now follows */
    uint32_t cell; /* the last cell that had ended by then */
    uint64_t epoch;
    uint64_t from_seq; /* of the state that was left: rewinding there undoes this */
    uint32_t from_cell;
    double took_ms;
};
typedef void glassbell_rewound_fn(void *arg, const struct glassbell_rewound *rewound,
                                  const struct glassbell_error *error);

struct glassbell_rewind_options {
    bool interrupt;   /* interrupts a running cell instead of waiting for it */
    bool drop_queued; /* ends waiting cells as interrupted instead of waiting for them */
    uint64_t wait_ms; /* 0: 10,000 */
};

/* Takes the session to a moment of its past, or forward again. Nothing is run again, cell numbers
 * continue, the kernel's random numbers differ, and the clock is right. The moment that is left is
 * saved first. @options may be NULL. */
GLASSBELL_API void glassbell_session_rewind(struct glassbell_session *session,
                                            const struct glassbell_moment *to,
                                            const struct glassbell_rewind_options *options,
                                            glassbell_rewound_fn *done, void *arg);
/* Back by one checkpoint; forward to the one that was undone last. */
GLASSBELL_API void glassbell_session_undo(struct glassbell_session *session,
                                          glassbell_rewound_fn *done, void *arg);
GLASSBELL_API void glassbell_session_redo(struct glassbell_session *session,
                                          glassbell_rewound_fn *done, void *arg);

struct glassbell_fork_options {
    struct glassbell_moment from; /* zeroed: now */
    uint32_t count;               /* 0: 1; at most 64 */
    const char *label;            /* NULL: the session's */
    uint64_t wait_ms; /* for the session to become idle, and of each for capacity; 0: 10,000 */
};

/* Exactly one is NULL. */
struct glassbell_fork {
    struct glassbell_session *session;
    const struct glassbell_error *error;
};
typedef void glassbell_fork_fn(void *arg, const struct glassbell_fork *forks, size_t count,
                               const struct glassbell_error *error);
/* Opens sessions that continue independently from a moment of this one. @options may be NULL: one,
 * from now. @done gets one entry for each, or an error (and @count 0) if there is none at all.
 * Their callbacks are those of this session, with @arg. */
GLASSBELL_API void glassbell_session_fork(struct glassbell_session *session,
                                          const struct glassbell_fork_options *options,
                                          glassbell_fork_fn *done, void *arg);

struct glassbell_slept {
    uint64_t seq;  /* the checkpoint that the session follows */
    uint32_t cell; /* the last cell that had ended by then */
    uint64_t size; /* of its checkpoints, on disk */
    double took_ms;
};
typedef void glassbell_slept_fn(void *arg, const struct glassbell_slept *slept,
                                const struct glassbell_error *error);
/* Saves the session and ends its VM. It wakes when it is used, or by glassbell_session_wake(),
 * which waits up to a minute for capacity. */
GLASSBELL_API void glassbell_session_sleep(struct glassbell_session *session,
                                           glassbell_slept_fn *done, void *arg);
GLASSBELL_API void glassbell_session_wake(struct glassbell_session *session,
                                          glassbell_slept_fn *done, void *arg);

/* ---- The network (docs/network.md) ---- */

struct glassbell_question {
    uint64_t number;            /* in its session */
    const char *name, *address; /* one of them is NULL */
    uint16_t port;
    uint32_t cell;        /* that was running; 0: none */
    uint32_t connections; /* that wait for the answer */
    double at, until;     /* when it was asked; when they are refused without an answer */
};

/* A port of the guest that is open to this host. */
struct glassbell_port {
    uint16_t port;
    const char *address;             /* on this host: "127.0.0.1:41234", or the path of a socket */
    uint32_t open;                   /* connections */
    uint64_t opened, received, sent; /* connections so far; bytes, as the guest sees them */
};

/* Borrowed for the callback. */
struct glassbell_network {
    const char *name;    /* of its policy; "none"; "rules" */
    const char *rules;   /* a line each */
    const char *secrets; /* names, separated by spaces */
    uint32_t open;       /* connections */
    uint64_t opened, denied, received, sent;
    const struct glassbell_question *questions; /* oldest first */
    size_t question_count;
    const struct glassbell_port *ports;
    size_t port_count;
    const uint16_t *listening; /* ports on which programs in the guest listen, ascending */
    size_t listening_count;
};

typedef void glassbell_network_fn(void *arg, const struct glassbell_network *network,
                                  const struct glassbell_error *error);
GLASSBELL_API void glassbell_session_network(struct glassbell_session *session,
                                             glassbell_network_fn *done, void *arg);
/* Replaces the policy, as in struct glassbell_session_options; connections that the new one does
 * not allow are broken. Both NULL: it reaches nothing any more. */
GLASSBELL_API void glassbell_session_network_set(struct glassbell_session *session,
                                                 const char *network, const char *const *rules,
                                                 glassbell_network_fn *done, void *arg);
/* Inserts a rule before all others: @what is what stands behind `allow` or `deny`, as
 * "example.org:443". */
GLASSBELL_API void glassbell_session_allow(struct glassbell_session *session, const char *what,
                                           glassbell_network_fn *done, void *arg);
GLASSBELL_API void glassbell_session_deny(struct glassbell_session *session, const char *what,
                                          glassbell_network_fn *done, void *arg);

enum glassbell_answer {
    GLASSBELL_ONCE,    /* yes, for the connections that wait */
    GLASSBELL_SESSION, /* yes, also for later ones of this session */
    GLASSBELL_REFUSE,  /* no, for the connections that wait */
    GLASSBELL_NEVER,   /* no, also for later ones of this session */
    GLASSBELL_ALWAYS,  /* yes, and the rule is written into the settings file */
};

/* @error NULL: it was done. */
typedef void glassbell_done_fn(void *arg, const struct glassbell_error *error);
/* "not_found": it has been answered, or nothing waits for it any more. */
GLASSBELL_API void glassbell_session_answer(struct glassbell_session *session, uint64_t question,
                                            enum glassbell_answer answer, glassbell_done_fn *done,
                                            void *arg);

typedef void glassbell_port_fn(void *arg, const struct glassbell_port *port,
                               const struct glassbell_error *error);
/* Opens a port of the guest to programs on this host, until it is closed or the session ends; a
 * session needs no network for that. @address: "127.0.0.1:PORT" or "[::1]:PORT" (PORT 0: a free
 * one), or the absolute path of a Unix socket to create; NULL: a free port of 127.0.0.1. */
GLASSBELL_API void glassbell_session_port_open(struct glassbell_session *session, uint16_t port,
                                               const char *address, glassbell_port_fn *done,
                                               void *arg);
/* @address NULL: all that lead to that port. */
GLASSBELL_API void glassbell_session_port_close(struct glassbell_session *session, uint16_t port,
                                                const char *address, glassbell_done_fn *done,
                                                void *arg);

/* What was reached, refused or decided. Texts are NULL, and numbers 0, where there is none. */
struct glassbell_record {
    uint64_t number; /* increases */
    double at;       /* when it ended */
    const char
        *kind; /* "connection", "denied", "policy", "answer", "end", "request", "port", "visit" */
    uint32_t cell; /* that was running when it began */
    uint64_t connection;
    const char *name, *address;
    uint16_t port;
    const char *rule, *reason, *client;
    uint64_t received, sent; /* by the guest */
    double took_ms;
};
typedef void glassbell_records_fn(void *arg, const struct glassbell_record *records, size_t count,
                                  const struct glassbell_error *error);
/* At most @limit (1–1000) records with larger numbers than @after, in order. Needs a `store`:
 * "unsupported". */
GLASSBELL_API void glassbell_session_records(struct glassbell_session *session, uint64_t after,
                                             uint32_t limit, glassbell_records_fn *done, void *arg);

/* ---- Everything else ---- */

/* @result is a JSON object, or NULL with an error. */
typedef void glassbell_call_fn(void *arg, const char *result, const struct glassbell_error *error);
/* Makes any call of docs/protocol.md, such as "session.diff" or "stats". @params is a JSON object;
 * NULL: none. An engine may have 256 of these under way. "unsupported" for "server.shutdown": that
 * is glassbell_close(). */
GLASSBELL_API void glassbell_call(struct glassbell *engine, const char *method, const char *params,
                                  glassbell_call_fn *done, void *arg);

/* "0.1.0" */
GLASSBELL_API const char *glassbell_version(void);

#ifdef __cplusplus
}
#endif

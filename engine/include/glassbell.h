/* SPDX-License-Identifier: Apache-2.0 */
/* libglassbell: run untrusted code in QEMU microVMs, with sessions that keep their state.
 *
 * An engine opens sessions the way the server does: from a pool of VMs that follows the demand,
 * else by restoring a template, else by booting; and within what the host can spare. See
 * docs/pool.md.
 *
 * The library runs on the caller's libuv loop, in the thread that runs it, and never blocks it.
 * Every call that takes time reports its completion through a callback, which is called exactly
 * once, from the loop, never from within the call itself. Strings and bytes passed to callbacks are
 * borrowed: they are valid during the callback. Sizes are in bytes, times in milliseconds.
 *
 * See examples/hello.c for a first program, and docs/protocol.md for the meaning of each field on
 * the wire.
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
    /* A settings file (docs/settings.md); its sections admission, pool and templates apply. NULL:
     * the defaults. */
    const char *settings;
};

/* Exactly one of @engine and @error is NULL. */
typedef void glassbell_open_fn(void *arg, struct glassbell *engine,
                               const struct glassbell_error *error);

/* Opens an engine: finds QEMU and the images and determines which accelerator works (once per host,
 * by booting a tiny guest). Borrows @loop until the engine is closed. */
GLASSBELL_API void glassbell_open(uv_loop_t *loop, const struct glassbell_options *options,
                                  glassbell_open_fn *opened, void *arg);

/* Closes all sessions, then the engine; afterwards nothing of ours is left on the loop. @closed may
 * be NULL. The engine must not be used after this call. */
GLASSBELL_API void glassbell_close(struct glassbell *engine, void (*closed)(void *arg), void *arg);

/* "kvm" or "tcg". With "tcg" the guest is emulated, which is not a security boundary. */
GLASSBELL_API const char *glassbell_accelerator(const struct glassbell *engine);

struct glassbell_session_options {
    const char *image;      /* "python" (default), "javascript", "shell", or another image's name */
    uint32_t memory_mb;     /* 0: the image's */
    uint32_t timeout_ms;    /* default for its cells; 0: 30,000 */
    uint64_t idle_ms;       /* close after being idle for this long; 0: never */
    uint64_t lifetime_ms;   /* 0: no limit */
    uint64_t wait_ms;       /* how long to wait for capacity; 0: as in the settings */
    const char *const *env; /* "NAME=value", …, NULL */
    /* Called when the session ends by itself or with its VM; may be NULL. Not called if opening the
     * session failed. */
    void (*closed)(void *arg, struct glassbell_session *session, const struct glassbell_error *why);
};

typedef void glassbell_session_fn(void *arg, struct glassbell_session *session,
                                  const struct glassbell_error *error);

/* Opens a session: calls @opened with it when its interpreter is warm, or with an error. @arg is
 * passed to `closed` too. */
GLASSBELL_API void glassbell_session_open(struct glassbell *engine,
                                          const struct glassbell_session_options *options,
                                          glassbell_session_fn *opened, void *arg);

/* Closes the session; cells in flight fail. The pointer is invalid after the call; `closed` is not
 * called. */
GLASSBELL_API void glassbell_session_close(struct glassbell_session *session);

GLASSBELL_API const char *glassbell_session_id(const struct glassbell_session *session);
/* Where the session's VM came from: "pool", "template" or "boot". Valid once it is open. */
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
};

/* Exactly one of @result and @error is NULL. */
typedef void glassbell_exec_fn(void *arg, const struct glassbell_result *result,
                               const struct glassbell_error *error);

/* Runs a cell after those queued before it. Copies the options. */
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

/* "0.1.0" */
GLASSBELL_API const char *glassbell_version(void);

#ifdef __cplusplus
}
#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* libglassbell: run untrusted code in QEMU microVMs, with sessions that keep their state.
 *
 * An engine opens sessions as the server does: from a pool of VMs that stand ready, which follows
 * the demand, else by restoring a template, else by a boot; and within what the host has to spare.
 * docs/pool.md tells how.
 *
 * The library works on the caller's libuv loop, in the thread that runs it, and never blocks it.
 * Every call that takes time tells its end through a callback, which comes exactly once, from the
 * loop, never from within the call that asked for it. Strings and bytes handed to callbacks are
 * borrowed: they are valid during the callback. Sizes are bytes, times milliseconds.
 *
 * A first program is examples/hello.c. What each field means on the wire stands in
 * docs/protocol.md.
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
struct glassbell_session; /* one VM and what it keeps */

/* Why something failed. A program that fails is no error: it is a result with an exit code. */
struct glassbell_error {
    const char *kind;    /* "capacity", "session_closed", …: docs/errors.md */
    const char *message; /* a sentence for a person */
    bool dispatched;     /* the code may have run */
    bool retryable;      /* nothing ran, and the same call may work later */
};

/* NULL or empty members take their defaults. */
struct glassbell_options {
    const char *images; /* folder of the guest images */
    /* Private folder for the registry of VMs, remembered probes and templates; NULL: those of all
     * programs and servers of this user. */
    const char *state;
    const char *launcher;   /* path of glassbell-launcher */
    bool require_isolation; /* fail when a stage of isolation cannot be had */
    /* A settings file (docs/settings.md), whose sections admission, pool and templates count; NULL:
     * their defaults. */
    const char *settings;
};

/* @engine is NULL when @error is not. */
typedef void glassbell_open_fn(void *arg, struct glassbell *engine,
                               const struct glassbell_error *error);

/* Opens an engine: finds QEMU and the images, finds out which accelerator works (once for a host:
 * it boots a tiny guest). @loop is borrowed until the engine is closed. */
GLASSBELL_API void glassbell_open(uv_loop_t *loop, const struct glassbell_options *options,
                                  glassbell_open_fn *opened, void *arg);

/* Closes all sessions and then the engine; afterwards the loop has nothing of ours. @closed may be
 * NULL. The engine must not be used from here on. */
GLASSBELL_API void glassbell_close(struct glassbell *engine, void (*closed)(void *arg), void *arg);

/* "kvm" or "tcg". With "tcg" the guest is emulated, which is not a security boundary. */
GLASSBELL_API const char *glassbell_accelerator(const struct glassbell *engine);

struct glassbell_session_options {
    const char *image;      /* "python" (default), "javascript", "shell", or another image's name */
    uint32_t memory_mb;     /* 0: the image's */
    uint32_t timeout_ms;    /* default of its cells; 0: 30,000 */
    uint64_t idle_ms;       /* closes itself after so long without work; 0: never */
    uint64_t lifetime_ms;   /* 0: no limit */
    uint64_t wait_ms;       /* for room; 0: as the settings say */
    const char *const *env; /* "NAME=value", …, NULL */
    /* Told when the session ends by itself or with its VM; may be NULL. Not told for a session
     * whose opening failed. */
    void (*closed)(void *arg, struct glassbell_session *session, const struct glassbell_error *why);
};

typedef void glassbell_session_fn(void *arg, struct glassbell_session *session,
                                  const struct glassbell_error *error);

/* Opens a session: @opened gets it when its interpreter is warm, or an error. @arg goes to `closed`
 * too. */
GLASSBELL_API void glassbell_session_open(struct glassbell *engine,
                                          const struct glassbell_session_options *options,
                                          glassbell_session_fn *opened, void *arg);

/* Ends it: what is under way fails. The pointer is dead after the call; `closed` is not told. */
GLASSBELL_API void glassbell_session_close(struct glassbell_session *session);

GLASSBELL_API const char *glassbell_session_id(const struct glassbell_session *session);
/* Where its VM came from: "pool", "template" or "boot". When it is open. */
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
    const char *code; /* in whatever encoding its language knows; NULL: none */
    enum glassbell_mode mode;
    uint32_t timeout_ms;             /* 0: the session's */
    uint64_t max_stdout, max_stderr; /* 0: 1 MiB and 256 KiB; at most 64 MiB */
    const char *const *env;          /* for this cell; "NAME=value", …, NULL */
    struct glassbell_bytes input;    /* standard input, then end of file */
    /* A program: the code is put into the home under this name and runs as the language's own
     * command would run the file; without code the file has to be there. NULL: a cell. */
    const char *file;
    const char *const *args; /* "argument", …, NULL; of a program, or as behind `python3 -c CODE` */
    /* The last cell: the interpreter ends with it as a process does, and no other follows. */
    bool final;
    /* Output as it is made; may be NULL. @stream is 1 or 2. */
    void (*output)(void *arg, int stream, struct glassbell_bytes bytes);
};

struct glassbell_display {
    const char *mime;
    struct glassbell_bytes data;
};

enum glassbell_change { GLASSBELL_ADDED, GLASSBELL_CHANGED, GLASSBELL_REMOVED };

/* A regular file of the home that came, changed or went. */
struct glassbell_file {
    struct glassbell_bytes
        path; /* relative to the home, never leading out of it; any bytes but NUL */
    enum glassbell_change change;
    uint64_t size; /* now; 0 when it is gone */
};

/* What became of a cell. Each fact has a field of its own: no code means two things. */
struct glassbell_result {
    uint32_t cell;
    int exit_code; /* 0–255, or −1 when it did not exit */
    int signal;    /* number, or 0 */
    bool timed_out, interrupted, oom;
    bool state_lost; /* the interpreter is a new one after this cell */
    struct glassbell_bytes out, err;
    uint64_t out_left_out, err_left_out; /* bytes past the caps */
    struct glassbell_bytes value;        /* repr of the last expression; data NULL: none */
    const struct glassbell_display *displays;
    size_t display_count;
    const struct glassbell_file *files;
    size_t file_count;
    bool files_cut; /* there were more */
    double wall_ms, cpu_ms;
    uint64_t peak_memory;
};

/* @result is NULL when @error is not. */
typedef void glassbell_exec_fn(void *arg, const struct glassbell_result *result,
                               const struct glassbell_error *error);

/* Runs a cell after those that were asked for before. Options are copied. */
GLASSBELL_API void glassbell_exec(struct glassbell_session *session,
                                  const struct glassbell_exec_options *options,
                                  glassbell_exec_fn *done, void *arg);

/* SIGINT to the cell that runs; its state is kept. Nothing happens when none runs. */
GLASSBELL_API void glassbell_interrupt(struct glassbell_session *session);

typedef void glassbell_file_fn(void *arg, struct glassbell_bytes content,
                               const struct glassbell_error *error);

/* Whole files below the session's home, at most 64 MiB. A written file appears whole or not at all.
 * @content is copied; @mode 0 is 0644. */
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

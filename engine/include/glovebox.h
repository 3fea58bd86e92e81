/* libglovebox: run untrusted code in QEMU microVMs, with sessions that keep their state.
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

#define GLOVEBOX_API __attribute__((visibility("default")))

struct glovebox;         /* an engine: images, accelerator, isolation */
struct glovebox_session; /* one VM and what it keeps */

/* Why something failed. A program that fails is no error: it is a result with an exit code. */
struct glovebox_error {
    const char *kind;    /* "capacity", "session_closed", …: docs/errors.md */
    const char *message; /* a sentence for a person */
    bool dispatched;     /* the code may have run */
    bool retryable;      /* nothing ran, and the same call may work later */
};

/* NULL or empty members take their defaults. */
struct glovebox_options {
    const char *images; /* folder of the guest images */
    /* Private folder for the registry of VMs, remembered probes and templates; NULL: those of all
     * programs and servers of this user. */
    const char *state;
    const char *launcher;   /* path of glovebox-launcher */
    bool require_isolation; /* fail when a stage of isolation cannot be had */
    /* A settings file (docs/settings.md), whose sections admission, pool and templates count; NULL:
     * their defaults. */
    const char *settings;
};

/* @engine is NULL when @error is not. */
typedef void glovebox_open_fn(void *arg, struct glovebox *engine,
                              const struct glovebox_error *error);

/* Opens an engine: finds QEMU and the images, finds out which accelerator works (once for a host:
 * it boots a tiny guest). @loop is borrowed until the engine is closed. */
GLOVEBOX_API void glovebox_open(uv_loop_t *loop, const struct glovebox_options *options,
                                glovebox_open_fn *opened, void *arg);

/* Closes all sessions and then the engine; afterwards the loop has nothing of ours. @closed may be
 * NULL. The engine must not be used from here on. */
GLOVEBOX_API void glovebox_close(struct glovebox *engine, void (*closed)(void *arg), void *arg);

/* "kvm" or "tcg". With "tcg" the guest is emulated, which is not a security boundary. */
GLOVEBOX_API const char *glovebox_accelerator(const struct glovebox *engine);

struct glovebox_session_options {
    const char *image;      /* "python" (default), "javascript", "shell", or another image's name */
    uint32_t memory_mb;     /* 0: the image's */
    uint32_t timeout_ms;    /* default of its cells; 0: 30,000 */
    uint64_t idle_ms;       /* closes itself after so long without work; 0: never */
    uint64_t lifetime_ms;   /* 0: no limit */
    uint64_t wait_ms;       /* for room; 0: as the settings say */
    const char *const *env; /* "NAME=value", …, NULL */
    /* Told when the session ends by itself or with its VM; may be NULL. Not told for a session
     * whose opening failed. */
    void (*closed)(void *arg, struct glovebox_session *session, const struct glovebox_error *why);
};

typedef void glovebox_session_fn(void *arg, struct glovebox_session *session,
                                 const struct glovebox_error *error);

/* Opens a session: @opened gets it when its interpreter is warm, or an error. @arg goes to `closed`
 * too. */
GLOVEBOX_API void glovebox_session_open(struct glovebox *engine,
                                        const struct glovebox_session_options *options,
                                        glovebox_session_fn *opened, void *arg);

/* Ends it: what is under way fails. The pointer is dead after the call; `closed` is not told. */
GLOVEBOX_API void glovebox_session_close(struct glovebox_session *session);

GLOVEBOX_API const char *glovebox_session_id(const struct glovebox_session *session);
/* Where its VM came from: "pool", "template" or "boot". When it is open. */
GLOVEBOX_API const char *glovebox_session_source(const struct glovebox_session *session);

enum glovebox_mode {
    GLOVEBOX_KERNEL,  /* in the session's interpreter */
    GLOVEBOX_PROCESS, /* in a fresh process of the same language */
    GLOVEBOX_SHELL,   /* by bash in the same VM */
};

struct glovebox_bytes {
    const char *data;
    size_t size;
};

struct glovebox_exec_options {
    const char *code; /* UTF-8 */
    enum glovebox_mode mode;
    uint32_t timeout_ms;             /* 0: the session's */
    uint64_t max_stdout, max_stderr; /* 0: 1 MiB and 256 KiB; at most 64 MiB */
    const char *const *env;          /* for this cell; "NAME=value", …, NULL */
    struct glovebox_bytes input;     /* standard input, then end of file */
    /* Output as it is made; may be NULL. @stream is 1 or 2. */
    void (*output)(void *arg, int stream, struct glovebox_bytes bytes);
};

struct glovebox_display {
    const char *mime;
    struct glovebox_bytes data;
};

enum glovebox_change { GLOVEBOX_ADDED, GLOVEBOX_CHANGED, GLOVEBOX_REMOVED };

/* A regular file of the home that came, changed or went. */
struct glovebox_file {
    struct glovebox_bytes
        path; /* relative to the home, never leading out of it; any bytes but NUL */
    enum glovebox_change change;
    uint64_t size; /* now; 0 when it is gone */
};

/* What became of a cell. Each fact has a field of its own: no code means two things. */
struct glovebox_result {
    uint32_t cell;
    int exit_code; /* 0–255, or −1 when it did not exit */
    int signal;    /* number, or 0 */
    bool timed_out, interrupted, oom;
    bool state_lost; /* the interpreter is a new one after this cell */
    struct glovebox_bytes out, err;
    uint64_t out_left_out, err_left_out; /* bytes past the caps */
    struct glovebox_bytes value;         /* repr of the last expression; data NULL: none */
    const struct glovebox_display *displays;
    size_t display_count;
    const struct glovebox_file *files;
    size_t file_count;
    bool files_cut; /* there were more */
    double wall_ms, cpu_ms;
    uint64_t peak_memory;
};

/* @result is NULL when @error is not. */
typedef void glovebox_exec_fn(void *arg, const struct glovebox_result *result,
                              const struct glovebox_error *error);

/* Runs a cell after those that were asked for before. Options are copied. */
GLOVEBOX_API void glovebox_exec(struct glovebox_session *session,
                                const struct glovebox_exec_options *options, glovebox_exec_fn *done,
                                void *arg);

/* SIGINT to the cell that runs; its state is kept. Nothing happens when none runs. */
GLOVEBOX_API void glovebox_interrupt(struct glovebox_session *session);

typedef void glovebox_file_fn(void *arg, struct glovebox_bytes content,
                              const struct glovebox_error *error);

/* Whole files below the session's home, at most 64 MiB. A written file appears whole or not at all.
 * @content is copied; @mode 0 is 0644. */
GLOVEBOX_API void glovebox_file_write(struct glovebox_session *session, const char *path,
                                      struct glovebox_bytes content, uint32_t mode,
                                      glovebox_file_fn *done, void *arg);
GLOVEBOX_API void glovebox_file_read(struct glovebox_session *session, const char *path,
                                     glovebox_file_fn *done, void *arg);

/* "0.1.0" */
GLOVEBOX_API const char *glovebox_version(void);

#ifdef __cplusplus
}
#endif

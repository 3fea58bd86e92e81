/* SPDX-License-Identifier: Apache-2.0 */
/* The control channel between the agent and a worker (docs/guest.md): messages, and strict parsing
 * of what a worker sends. Everything here is a pure function of its input.
 *
 * A worker shares its process with untrusted code, so every byte from it is hostile: control_next()
 * rejects what a worker may not send on a channel, from the header alone where that is enough.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "wire/fields.h"

enum { CONTROL_HEADER = 8 };

enum control_channel { CONTROL_CELL, CONTROL_QUERY };

enum control_type {
    CONTROL_RUN = 1, /* CELL in the protocol */
    CONTROL_SETTINGS = 2,
    CONTROL_READY = 3,
    CONTROL_DONE = 4,
    CONTROL_SETTLED = 5,
    CONTROL_DISPLAY = 6,
    CONTROL_WAITING = 7,
    CONTROL_PREPARE = 8,
    CONTROL_PREPARED = 9,
    CONTROL_ENDING = 10,
    CONTROL_BEGUN = 11,
    CONTROL_COMPLETE = 16,
    CONTROL_COMPLETIONS = 17,
    CONTROL_IS_COMPLETE = 18,
    CONTROL_COMPLETENESS = 19,
    CONTROL_DESCRIBE = 20,
    CONTROL_DESCRIPTION = 21,
};

/* The offset of the flags in an encoded CELL: after the header and the cell's number. */
enum { CONTROL_RUN_FLAGS_AT = 8 + 4 };

/* CONTROL_STALE_SIGINT: a SIGINT for the previous cell may still be pending. The worker discards it
 * and sends BEGUN; a SIGINT for this cell is only sent after that. */
enum control_run_flags { CONTROL_INTERACTIVE = 1, CONTROL_FINAL = 2, CONTROL_STALE_SIGINT = 4 };

enum control_done_flags {
    CONTROL_HAS_VALUE = 1,
    CONTROL_INTERRUPTED = 2,
    CONTROL_VALUE_CUT = 4,
};

/* To a worker. */
struct control_run {
    uint32_t cell;
    uint8_t flags;
    struct gb_pairs env;
    struct gb_bytes file; /* absolute path of the file that contains the code; or empty */
    struct gb_bytes argv; /* as in EXEC */
    struct gb_bytes code;
};

struct control_settings {
    struct gb_bytes entropy;
    struct gb_pairs env;
};

struct control_complete {
    uint32_t id;
    struct gb_bytes code;
    uint32_t cursor;
};

struct control_is_complete {
    uint32_t id;
    struct gb_bytes code;
};

struct control_describe {
    uint32_t id;
    struct gb_bytes code;
};

extern const struct gb_fields control_run_fields, control_settings_fields, control_complete_fields,
    control_is_complete_fields, control_describe_fields;

/* Appends a complete message. */
void control_add(struct gb_buf *buf, enum control_type type, const struct gb_fields *table,
                 const void *message);

/* From a worker. */
struct control_done {
    uint32_t cell, exit_code;
    uint8_t flags;
    struct gb_bytes value;
};

/* For a final cell: DONE without the exit code, which is the process's. */
struct control_ending {
    uint32_t cell;
    uint8_t flags;
    struct gb_bytes value;
};

struct control_begun {
    uint32_t cell;
};

struct control_display {
    uint32_t cell;
    struct gb_bytes mime, data;
};

struct control_waiting {
    uint32_t cell;
    uint8_t on;
};

struct control_completions {
    uint32_t id, start, end;
    struct gb_pairs matches;
};

struct control_completeness {
    uint32_t id;
    uint8_t status;
    struct gb_bytes indent;
};

struct control_description {
    uint32_t id;
    struct gb_bytes type, signature, summary;
};

struct control_message {
    enum control_type type;
    union {
        struct control_done done;
        struct control_ending ending;
        struct control_begun begun;
        struct control_display display;
        struct control_waiting waiting;
        struct control_completions completions;
        struct control_completeness completeness;
        struct control_description description;
    };
};

/* Parses the worker's next message at the front of @input. Returns 1 and fills @ret_message, which
 * borrows from @input until the caller has consumed @ret_size bytes; 0 if more bytes are needed
 * (*@ret_size is then the required total); -GB_EINTERNAL if the worker violates the protocol. */
int control_next(enum control_channel channel, struct gb_bytes input,
                 struct control_message *ret_message, size_t *ret_size, struct gb_err *err);

/* SPDX-License-Identifier: Apache-2.0 */
/* The methods of the socket protocol. A row describes everything about a method except how to
 * handle it: the server parses requests with it, clients look up what a call does, and the tables
 * in docs/protocol.md are generated from it. The table of each server part is here, in methods_….c,
 * because clients need the rows and do not link the server. */
#pragma once

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "model/member.h"
#include "rpc/json.h"

#define GB_PROTOCOL_VERSION 1

enum gb_param_type {
    GB_PARAM_NAME,    /* string without NUL: struct gb_bytes, min–max bytes */
    GB_PARAM_TEXT,    /* any string: struct gb_bytes, at most max bytes */
    GB_PARAM_BASE64,  /* decoded in place: struct gb_bytes, at most max bytes */
    GB_PARAM_INTEGER, /* int64_t, min–max; default `standard` */
    GB_PARAM_BOOL,    /* bool; default `standard` */
    GB_PARAM_SWITCH,  /* true or false: int64_t, 1 or 0; -1: not given */
    GB_PARAM_CHOICE,  /* one of `choices`: int64_t, its index; default `standard` */
    GB_PARAM_STRINGS, /* object of strings: const struct gb_json *, at most max members */
    GB_PARAM_NAMES,   /* array of strings: const struct gb_json *, at most max elements */
    GB_PARAM_ANY,     /* const struct gb_json *, not null */
    GB_PARAM_TYPE_COUNT
};

struct gb_param {
    const char *name;
    enum gb_param_type type;
    size_t offset; /* in struct gb_params */
    bool required;
    int64_t min, max, standard;
    const char *const *choices; /* NULL-terminated */
    const char *doc;
};

/* A field of a result that is not in a table of the model, for the documentation. */
struct gb_result {
    const char *name, *type, *doc;
};

/* As bits. */
#define GB_ERROR_BIT(code_) (UINT32_C(1) << (code_))
static_assert(GB_CODE_COUNT <= 32, "a bit for each");
/* Errors that every method may return: parameters, load, and server failures. */
#define GB_METHOD_ERRORS                                                                           \
    (GB_ERROR_BIT(GB_EINVALID) | GB_ERROR_BIT(GB_ETOOLARGE) | GB_ERROR_BIT(GB_EBUSY) |             \
     GB_ERROR_BIT(GB_EINTERNAL))

struct gb_method {
    const char *name;
    const char *doc;
    const struct gb_param *params;
    size_t param_count;
    const struct gb_object *result; /* written by the server, read by clients; NULL: `{}`, or see
                                     * @results */
    const struct gb_object *beside; /* additional members; NULL: none */
    const struct gb_result *results;
    size_t result_count;
    bool runs_code;  /* it may have run code if there is no answer */
    size_t holds;    /* offset in struct gb_params of an int64_t: bytes that the request keeps in
                      * memory until it is answered, besides its line; 0: none */
    uint32_t errors; /* errors besides GB_METHOD_ERRORS, as bits by enum gb_code */
};

/* The methods of one part of the server: methods_….c. */
struct gb_method_group {
    const struct gb_method *methods;
    size_t count;
};

/* All possible parameters. Bytes with a NULL pointer and NULL nodes are absent; everything borrows
 * from the line. */
struct gb_params {
    struct gb_bytes client, image, key, label, owner, session, code, standard_input, text;
    struct gb_bytes path, after, state, to, to_name, note, find, file, name, address, unix_path;
    const struct gb_json *env, *network, *sessions, *kinds, *args, *args_base64, *rules, *secrets,
        *packages;
    int64_t protocol, memory_mb, wait_ms, timeout_ms, idle_ms, lifetime_ms, mode, max_stdout,
        max_stderr;
    int64_t cursor, offset, length, permissions, limit, after_cell, before_cell, subscription, cell;
    int64_t after_record, question, answer, port;
    int64_t action, lease_wait_ms, seq, steps, cells, count, checkpoints;
    int64_t to_cell, to_seq;
    int64_t rows, columns, terminal, bookmark;
    bool interactive, stream, detach, eof, final, recursive, output, replay, drain;
    bool human, force, interrupt, drop_queued, watch, answers, rollback, bound, annotated;
};

extern const struct gb_method_group gb_methods_info, gb_methods_sessions, gb_methods_cells,
    gb_methods_history, gb_methods_checkpoint, gb_methods_lease, gb_methods_files, gb_methods_watch,
    gb_methods_pool, gb_methods_server, gb_methods_network, gb_methods_packages,
    gb_methods_terminal;

/* All methods by index, from 0; NULL after the last. */
const struct gb_method *gb_method_at(size_t index);
/* NULL if there is no such method. */
const struct gb_method *gb_method_find(struct gb_bytes name);
/* Whether this error is listed in its row. */
bool gb_method_may_fail(const struct gb_method *method, enum gb_code code);
/* Bytes of memory used by a request until it is answered. */
size_t gb_method_cost(const struct gb_method *method, size_t line_size,
                      const struct gb_params *params);

/* Reads @params (NULL: none given) according to the table of @method. Failure: GB_EINVALID with a
 * message that names the parameter; GB_ETOOLARGE for a string or a list over its limit. Base64 is
 * decoded in place, so @params can only be read once. */
int gb_params_read(const struct gb_method *method, const struct gb_json *params,
                   struct gb_params *ret_params, struct gb_err *err);

/* The tables as Markdown, for docs/protocol.md and docs/errors.md. */
void gb_methods_markdown(struct gb_buf *buf);
void gb_errors_markdown(struct gb_buf *buf);

/* SPDX-License-Identifier: Apache-2.0 */
/* Errors: a code that crosses the wire and a message for people, with no heap allocation.
 *
 * A function that can fail returns int: 0, or the negative of a code below. Its last parameter is
 * an optional `struct gb_err *`, which may be NULL and is left untouched on success.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>

/* What a caller can do about a failure. */
enum gb_class {
    GB_CLASS_RETRY,   /* nothing ran; the same call may succeed later */
    GB_CLASS_CALLER,  /* nothing ran; the caller has to change the input */
    GB_CLASS_FATAL,   /* retrying will not help */
    GB_CLASS_UNKNOWN, /* the code may have run: check before running it again */
};

/* X(constant, kind on the wire, JSON-RPC code, class, meaning). docs/errors.md is generated from
 * this table. Codes are never renumbered: a retired code leaves a gap. */
#define GB_ERRORS(X)                                                                               \
    X(GB_EINVALID, "invalid_input", -32602, GB_CLASS_CALLER,                                       \
      "the request contains an invalid value; the message names it")                               \
    X(GB_ENOTFOUND, "not_found", -32001, GB_CLASS_CALLER,                                          \
      "there is no such session, cell, file or image")                                             \
    X(GB_ECLOSED, "session_closed", -32002, GB_CLASS_CALLER,                                       \
      "the session has ended; the message says why, and a new one can be opened")                  \
    X(GB_EBUSY, "busy", -32003, GB_CLASS_RETRY, "something in progress prevents it right now")     \
    X(GB_ECAPACITY, "capacity", -32004, GB_CLASS_RETRY,                                            \
      "the host has no capacity for another VM; the message says what is lacking")                 \
    X(GB_EBOOT, "boot_failed", -32005, GB_CLASS_RETRY, "the VM did not start")                     \
    X(GB_EIMAGE, "image_missing", -32006, GB_CLASS_CALLER,                                         \
      "the image is missing or damaged; build it with `glassbell image build`")                    \
    X(GB_EPOLICY, "policy", -32007, GB_CLASS_CALLER, "the request is not allowed")                 \
    X(GB_EUNKNOWN, "outcome_unknown", -32008, GB_CLASS_UNKNOWN,                                    \
      "the connection to the code was lost after it was sent: it may have run")                    \
    X(GB_EUNSUPPORTED, "unsupported", -32009, GB_CLASS_CALLER,                                     \
      "this server, image or host cannot do that")                                                 \
    X(GB_ETOOLARGE, "too_large", -32010, GB_CLASS_CALLER,                                          \
      "a limit was exceeded; the message names it")                                                \
    X(GB_EINTERNAL, "internal", -32011, GB_CLASS_FATAL, "an error in Glassbell or on the host")    \
    X(GB_EHELD, "held", -32012, GB_CLASS_RETRY,                                                    \
      "another client holds the session's write lease; the message says who, and since when")      \
    X(GB_EGONE, "gone", -32013, GB_CLASS_CALLER,                                                   \
      "there is no checkpoint of that moment; `nearest` in the error's data names the nearest "    \
      "one")                                                                                       \
    X(GB_ENOPAST, "no_past", -32014, GB_CLASS_CALLER,                                              \
      "no checkpoints of this session can be taken; the message says why")                         \
    X(GB_EPACKAGES, "packages", -32015, GB_CLASS_CALLER,                                           \
      "packages cannot be had: the index does not have them, or they do not fit together, or it "  \
      "cannot be reached; the message says which")                                                 \
    X(GB_EDISK, "disk_full", -32016, GB_CLASS_RETRY,                                               \
      "a disk of the host is full, or a quota is used up; the message says where, and what was "   \
      "there before is as it was")

enum gb_code {
    GB_OK = 0,
#define GB_X(name, ...) name,
    GB_ERRORS(GB_X)
#undef GB_X
        GB_CODE_COUNT
};

enum { GB_ERR_MESSAGE_MAX = 384 };

/* A failure, by value. Zeroed means no error. */
struct gb_err {
    enum gb_code code;
    int sys_errno;   /* errno of the host, or 0 */
    bool dispatched; /* the cell's code may have run */
    char message[GB_ERR_MESSAGE_MAX];
};

/* Fills @err (may be NULL) and returns -code. A message that is too long is truncated. */
int gb_err_set(struct gb_err *err, enum gb_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Like gb_err_set(), with the text of @sys_errno appended; stores the errno. The code is
 * GB_EINTERNAL unless the errno maps to a better one (ENOENT: not_found; ENOSPC, EDQUOT:
 * disk_full; EMFILE, ENOMEM: capacity, …). */
int gb_err_sys(struct gb_err *err, int sys_errno, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Prepends "context: " to the message of @err (may be NULL). Returns @r, so that it can end a
 * function: `return gb_err_wrap(err, r, "restoring %s", id);` */
int gb_err_wrap(struct gb_err *err, int r, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The static analyzer reads one file at a time and has to be told that failures are negative. */
#ifdef __clang_analyzer__
#define gb_err_set(err, code, ...) ((void)gb_err_set(err, code, __VA_ARGS__), -(int)(code))
#define gb_err_sys(err, sys_errno, ...) ((void)gb_err_sys(err, sys_errno, __VA_ARGS__), -1)
#endif

/* The kind on the wire ("not_found"); "internal" for a code out of range. */
const char *gb_code_kind(enum gb_code code);
int gb_code_rpc(enum gb_code code);
enum gb_class gb_code_class(enum gb_code code);
const char *gb_code_meaning(enum gb_code code);

/* The code for a kind's name, or GB_EINTERNAL. */
enum gb_code gb_code_from_kind(const char *kind);

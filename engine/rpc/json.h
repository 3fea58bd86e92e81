/* SPDX-License-Identifier: Apache-2.0 */
/* JSON (RFC 8259) as used on the socket: a parser that produces a flat array of nodes, and a writer
 * that appends to a buffer without building a tree.
 *
 * Why not a library (cJSON reads QMP and manifests, which are small and come from programs that we
 * start or files that we wrote; it ends strings at a NUL, recurses, and accepts invalid UTF-8):
 * input from clients needs strings with a length (a NUL is an ordinary character), bounded depth
 * without recursion, strict UTF-8, and file data of many MiB in one string at memory speed. The
 * parser works in place: it unescapes strings inside the text, so nothing is copied and only the
 * array of nodes is allocated.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum { GB_JSON_DEPTH_MAX = 32 };

enum gb_json_type {
    GB_JSON_NULL,
    GB_JSON_BOOL,
    GB_JSON_NUMBER,
    GB_JSON_STRING,
    GB_JSON_ARRAY,
    GB_JSON_OBJECT,
    GB_JSON_TYPE_COUNT
};

/* A value. The nodes of its members or elements follow it directly, each with its own
 * descendants. */
struct gb_json {
    enum gb_json_type type;
    bool truth;           /* BOOL */
    uint32_t count;       /* ARRAY, OBJECT: members or elements */
    uint32_t span;        /* nodes of this value, including itself and all descendants */
    struct gb_bytes key;  /* of a member of an object */
    struct gb_bytes text; /* STRING: its bytes, never a NULL pointer; NUMBER: as written */
};

struct gb_json_doc {
    struct gb_json *nodes; /* nodes[0] is the root */
    size_t count, capacity;
};

/* Parses @text, which is modified and from which the nodes borrow. The document may be reused, with
 * its memory. Errors: GB_EINVALID (not JSON, too deep, not UTF-8, a lone surrogate), GB_ETOOLARGE
 * (more than @max_nodes values). */
int gb_json_parse(struct gb_json_doc *doc, uint8_t *text, size_t size, size_t max_nodes,
                  struct gb_err *err);
void gb_json_release(struct gb_json_doc *doc);

/* Iteration: `for (child = gb_json_first(v), i = 0; i < v->count; child = gb_json_next(child),
 * i++)` */
static inline const struct gb_json *gb_json_first(const struct gb_json *value)
{
    return value + 1;
}

static inline const struct gb_json *gb_json_next(const struct gb_json *value)
{
    return value + value->span;
}

/* The first member with that name; NULL if there is none or the value is no object. */
const struct gb_json *gb_json_member(const struct gb_json *object, const char *key);

/* 2^53: the largest integer that every JSON reader represents exactly. */
#define GB_JSON_INTEGER_MAX (UINT64_C(1) << 53)
/* True for an integral number of magnitude at most 2^53, in whatever notation. */
bool gb_json_integer(const struct gb_json *value, int64_t *ret_integer);
/* 0 if it is no number. */
double gb_json_number(const struct gb_json *value);

/* "a string", "null", …, for messages. */
const char *gb_json_type_name(enum gb_json_type type);

/* ---- writing ---- */

/* Zero it and set @buf. Every value takes its key if it is in an object, else NULL. Invalid UTF-8
 * in strings is written as U+FFFD, one per bad byte. */
struct gb_json_out {
    struct gb_buf *buf;
    unsigned depth;
    uint64_t arrays; /* one bit per open container: it is an array */
    bool comma;      /* the next value needs a comma before it */
};

void gb_json_object(struct gb_json_out *out, const char *key);
void gb_json_array(struct gb_json_out *out, const char *key);
/* Closes the innermost object or array. */
void gb_json_end(struct gb_json_out *out);

void gb_json_put(struct gb_json_out *out, const char *key, struct gb_bytes text);
/* Writes the key of a member whose name is data. */
void gb_json_put_named(struct gb_json_out *out, struct gb_bytes key, struct gb_bytes text);
void gb_json_put_str(struct gb_json_out *out, const char *key, const char *text); /* NULL writes
                                                                                   * null */
void gb_json_put_u64(struct gb_json_out *out, const char *key, uint64_t value);
void gb_json_put_i64(struct gb_json_out *out, const char *key, int64_t value);
void gb_json_put_bool(struct gb_json_out *out, const char *key, bool value);
void gb_json_put_null(struct gb_json_out *out, const char *key);
/* A non-negative number, with three decimals. */
void gb_json_put_number(struct gb_json_out *out, const char *key, double value);
/* Nanoseconds as fractional milliseconds, or as fractional seconds. */
void gb_json_put_ms(struct gb_json_out *out, const char *key, uint64_t ns);
void gb_json_put_seconds(struct gb_json_out *out, const char *key, uint64_t ns);
/* A value that is JSON already. */
void gb_json_put_raw(struct gb_json_out *out, const char *key, struct gb_bytes json);
void gb_json_put_base64(struct gb_json_out *out, const char *key, struct gb_bytes bytes);
/* A text/base64 pair: in base64 under @base64_key if @bytes are not UTF-8 or if that is shorter,
 * else as text under @text_key. So the overhead is at most a third. */
void gb_json_put_bytes(struct gb_json_out *out, const char *text_key, const char *base64_key,
                       struct gb_bytes bytes);

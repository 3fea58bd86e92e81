/* SPDX-License-Identifier: Apache-2.0 */
/* JSON (RFC 8259) as it travels over the socket: a parser that gives a flat array of nodes, and a
 * writer that adds to a buffer without building a tree.
 *
 * Why not a library (cJSON reads QMP and manifests, which are small and come from programs that we
 * start or files that we made; it ends strings at a NUL, recurses, and takes any bytes): what comes
 * from a client needs the length of a string (a NUL is a character like others), bounded depth
 * without recursion, valid UTF-8 only, and file data of many MiB in one string at the speed of
 * memory. The parser works in place: it turns escapes into bytes inside the text itself, so nothing
 * is copied and only the array of nodes is allocated.
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

/* A value. The nodes of its members or elements follow it directly, each with all that is in it. */
struct gb_json {
    enum gb_json_type type;
    bool truth;           /* BOOL */
    uint32_t count;       /* ARRAY, OBJECT: members or elements */
    uint32_t span;        /* nodes of this value, itself and all below */
    struct gb_bytes key;  /* of a member of an object */
    struct gb_bytes text; /* STRING: its bytes, never a NULL pointer; NUMBER: as it was written */
};

struct gb_json_doc {
    struct gb_json *nodes; /* nodes[0] is the whole */
    size_t count, capacity;
};

/* Parses @text, which is changed and from which the nodes borrow. The document may have been used
 * before; its memory is used again. Failure: GB_EINVALID (not JSON, too deep, not UTF-8, a lone
 * surrogate), GB_ETOOLARGE (more than @max_nodes values). */
int gb_json_parse(struct gb_json_doc *doc, uint8_t *text, size_t size, size_t max_nodes,
                  struct gb_err *err);
void gb_json_release(struct gb_json_doc *doc);

/* Walks: `for (child = gb_json_first(v), i = 0; i < v->count; child = gb_json_next(child), i++)` */
static inline const struct gb_json *gb_json_first(const struct gb_json *value)
{
    return value + 1;
}

static inline const struct gb_json *gb_json_next(const struct gb_json *value)
{
    return value + value->span;
}

/* The first member with that name, or NULL; also for a value that is no object. */
const struct gb_json *gb_json_member(const struct gb_json *object, const char *key);

/* 2^53: what every reader of JSON knows exactly. */
#define GB_JSON_INTEGER_MAX (UINT64_C(1) << 53)
/* True for a number without a fraction of at most 2^53 either way, however it was written. */
bool gb_json_integer(const struct gb_json *value, int64_t *ret_integer);
/* 0 for what is no number. */
double gb_json_number(const struct gb_json *value);

/* "a string", "null", … for messages. */
const char *gb_json_type_name(enum gb_json_type type);

/* ---- writing ---- */

/* Zeroed but for @buf at first. Every value takes the key that it gets in an object, NULL in an
 * array or at the top. Strings that are not UTF-8 are written with U+FFFD in place of each bad
 * byte. */
struct gb_json_out {
    struct gb_buf *buf;
    unsigned depth;
    uint64_t arrays; /* a bit for each open container: an array */
    bool comma;      /* the next value is not the first of its container */
};

void gb_json_object(struct gb_json_out *out, const char *key);
void gb_json_array(struct gb_json_out *out, const char *key);
/* Ends the innermost object or array. */
void gb_json_end(struct gb_json_out *out);

void gb_json_put(struct gb_json_out *out, const char *key, struct gb_bytes text);
/* A member whose name is data too. */
void gb_json_put_named(struct gb_json_out *out, struct gb_bytes key, struct gb_bytes text);
void gb_json_put_str(struct gb_json_out *out, const char *key, const char *text); /* NULL: null */
void gb_json_put_u64(struct gb_json_out *out, const char *key, uint64_t value);
void gb_json_put_i64(struct gb_json_out *out, const char *key, int64_t value);
void gb_json_put_bool(struct gb_json_out *out, const char *key, bool value);
void gb_json_put_null(struct gb_json_out *out, const char *key);
/* A number that is not negative, with three decimals. */
void gb_json_put_number(struct gb_json_out *out, const char *key, double value);
/* Nanoseconds as milliseconds with a fraction, or as seconds with a fraction. */
void gb_json_put_ms(struct gb_json_out *out, const char *key, uint64_t ns);
void gb_json_put_seconds(struct gb_json_out *out, const char *key, uint64_t ns);
/* JSON that is there already. */
void gb_json_put_raw(struct gb_json_out *out, const char *key, struct gb_bytes json);
void gb_json_put_base64(struct gb_json_out *out, const char *key, struct gb_bytes bytes);
/* The pair: in base64 under @base64_key when @bytes are not UTF-8 or that is the shorter one, else
 * as text under @text_key. So a third more than the bytes is the most that they take. */
void gb_json_put_bytes(struct gb_json_out *out, const char *text_key, const char *base64_key,
                       struct gb_bytes bytes);

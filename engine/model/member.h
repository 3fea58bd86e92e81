/* SPDX-License-Identifier: Apache-2.0 */
/* What the objects of docs/protocol.md are made of: a struct for each, and a table that names its
 * members. The server's writer, the clients' reader (rpc/object.h) and the section "Objects" of the
 * page go by the same table, so they cannot disagree; the Python types are compared with the page.
 *
 * A member has no value in one of these cases: its `bit` is not set in the struct's flags; one of
 * `unless` is; or, where it has no bit: an optional text without bytes, a nullable one without a
 * pointer, 0 of an integer, -1 of a GB_I64, GB_NO_WORD. The presence says what is written then. A
 * reader takes a member that is not there, or null, as without a value, whatever the presence: what
 * a newer server leaves out harms no older client.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/pairs.h"
#include "model/words.h"

enum gb_member_type {
    GB_TEXT,    /* struct gb_bytes: a string, with U+FFFD for what is not UTF-8 */
    GB_BYTES,   /* struct gb_bytes: a string NAME, or NAME_base64 (`text` and `base64`) */
    GB_PAIR,    /* struct gb_bytes: a string `text`, or `base64`; its name is "text" */
    GB_BASE64,  /* the same, always in base64: its name is "base64" */
    GB_EXACT,   /* the bytes of the GB_TEXT before it: NAME, base64, when they are not UTF-8 */
    GB_STRINGS, /* struct gb_bytes, a NUL behind each: an array NAME, or NAME_base64 */
    GB_NAMES,   /* struct gb_names: an array of strings */
    GB_U32,
    GB_U64,
    GB_I64,
    GB_BOOL,    /* the bit itself */
    GB_WORD,    /* uint8_t: a string of `words` */
    GB_SIGNAL,  /* uint32_t: "SIGKILL" */
    GB_KIND,    /* uint32_t: the kind of an enum gb_code */
    GB_NUMBER,  /* double, never negative: with three decimals */
    GB_MS,      /* uint64_t in ns: milliseconds with a fraction */
    GB_SECONDS, /* uint64_t in ns: Unix seconds with a fraction */
    GB_OBJECT,  /* the struct of `object` */
    GB_LIST,    /* struct gb_items: an array of `object` */
    /* const void *, of a form of its own: its owner writes it, and a reader keeps the JSON. */
    GB_ARRAY, /* elements */
    GB_MAP,   /* members whose names are data */
    GB_MEMBER_TYPE_COUNT
};

enum {
    GB_NO_WORD = 0xff,
    GB_OBJECT_SIZE_MAX = 768, /* bytes of a struct whose object stands in lists */
};

enum gb_presence {
    GB_ALWAYS,
    GB_NULLABLE, /* null when it has no value */
    GB_OPTIONAL, /* left out when it has none, or is false */
};

struct gb_object;

struct gb_member {
    const char *name;
    enum gb_member_type type;
    enum gb_presence presence;
    size_t offset;
    uint32_t bit;    /* of the flags; GB_BOOL: its value */
    uint32_t unless; /* left out, whatever its presence, when one of these is set */
    uint32_t
        base64;   /* GB_BYTES, GB_BASE64, GB_STRINGS: set by a reader when the bytes are base64 */
    uint64_t max; /* bytes of a text, the largest number, elements of a list; 0: the type's own */
    const struct gb_words *words;
    const struct gb_object *object;
    const char *doc;
};

struct gb_object {
    const char *name; /* for messages, and the heading of the page */
    const struct gb_member *members;
    size_t count;
    size_t size;         /* of the struct */
    size_t flags_offset; /* of its uint32_t of flags */
    bool has_section; /* of the page: where it stands in another object, its members are not told */
    /* For elements of a GB_LIST that is kept as pairs; false: this is not one. */
    bool (*from_pair)(struct gb_bytes key, struct gb_bytes value, bool brief, void *ret_item);
};

/* The elements of a list, wherever they are kept. Walk them with gb_items_next() (rpc/object.h). */
struct gb_items {
    /* In the server: what @next tells of @owner, one after the other from *@at = 0 on, or pairs. */
    bool (*next)(const void *owner, size_t *at, void *ret_item);
    const void *owner;
    struct gb_pairs pairs;
    bool brief;              /* of the pairs: the elements are told briefly */
    struct gb_bytes written; /* the whole array as JSON, where that is there already */
    /* In a client. */
    const void *json; /* const struct gb_json *: an array; NULL: one of those above */
};

/* An array of strings, likewise; gb_names_next(). */
struct gb_names {
    const char *const *list;
    size_t count;
    const void *json; /* in a client */
};

/* ---- how rows are written ---- */

#define GB_MEMBER(struct_, field_, name_, type_, presence_, ...)                                   \
    {                                                                                              \
        .name = name_, .type = type_, .presence = presence_, .offset = offsetof(struct_, field_),  \
        __VA_ARGS__                                                                                \
    }
#define GB_OBJECT_TABLE(name_, struct_, rows_)                                                     \
    .name = name_, .members = rows_, .count = sizeof(rows_) / sizeof((rows_)[0]),                  \
    .size = sizeof(struct_), .flags_offset = offsetof(struct_, flags)

/* ---- signals ---- */

enum { GB_SIGNAL_NAME_MAX = 16, GB_SIGNAL_MAX = 64 };

/* "SIGKILL", or "SIG42" for one without a name. */
void gb_signal_to_string(uint32_t signum, char name[GB_SIGNAL_NAME_MAX]);
/* False for what is no signal. */
bool gb_signal_from_string(struct gb_bytes name, uint32_t *ret_signum);

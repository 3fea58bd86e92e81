/* SPDX-License-Identifier: Apache-2.0 */
/* The building blocks of the objects in docs/protocol.md: a struct for each, and a table that names
 * its members. The server's writer, the clients' reader (rpc/object.h) and the section "Objects" of
 * that page all use the same table, so they cannot disagree; a test compares the Python types with
 * the page.
 *
 * A member has no value if its `bit` is not set in the struct's flags, or if one of `unless` is
 * set, or, without a bit: if an optional text is empty, a nullable one is a NULL pointer, an
 * integer is 0, a GB_I64 is -1, or a word is GB_NO_WORD. Its presence determines what is written in
 * that case. A reader treats an absent or null member as having no value, whatever its presence: a
 * newer server may leave members out without breaking older clients.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/pairs.h"
#include "model/words.h"

enum gb_member_type {
    GB_TEXT,    /* struct gb_bytes: a string, with invalid UTF-8 as U+FFFD */
    GB_BYTES,   /* struct gb_bytes: a string NAME, or NAME_base64 (`text` and `base64`) */
    GB_PAIR,    /* struct gb_bytes: a string `text`, or `base64`; its name is "text" */
    GB_BASE64,  /* the same, always in base64: its name is "base64" */
    GB_EXACT,   /* the exact bytes of the preceding GB_TEXT: NAME, base64, if they are not UTF-8 */
    GB_STRINGS, /* struct gb_bytes, each string followed by a NUL: an array NAME, or NAME_base64 */
    GB_NAMES,   /* struct gb_names: an array of strings */
    GB_U32,
    GB_U64,
    GB_I64,
    GB_BOOL,    /* the flag itself */
    GB_WORD,    /* uint8_t: one of the strings in `words` */
    GB_SIGNAL,  /* uint32_t: "SIGKILL" */
    GB_KIND,    /* uint32_t: the kind of an enum gb_code */
    GB_NUMBER,  /* double, never negative: printed with three decimals */
    GB_MS,      /* uint64_t in ns: milliseconds with a fraction */
    GB_SECONDS, /* uint64_t in ns: Unix seconds with a fraction */
    GB_OBJECT,  /* the struct of `object` */
    GB_LIST,    /* struct gb_items: an array of `object` */
    /* const void *, in a format of its own: its owner writes it, and a reader keeps the JSON. */
    GB_ARRAY, /* elements */
    GB_MAP,   /* members whose names are data */
    GB_MEMBER_TYPE_COUNT
};

enum {
    GB_NO_WORD = 0xff,
    GB_OBJECT_SIZE_MAX = 768, /* bytes of a struct whose object appears in lists */
};

enum gb_presence {
    GB_ALWAYS,
    GB_NULLABLE, /* null if it has no value */
    GB_OPTIONAL, /* left out if it has no value, or is false */
};

struct gb_object;

struct gb_member {
    const char *name;
    enum gb_member_type type;
    enum gb_presence presence;
    size_t offset;
    uint32_t bit;    /* in the flags; GB_BOOL: its value */
    uint32_t unless; /* left out, whatever its presence, if one of these is set */
    uint32_t base64; /* GB_BYTES, GB_BASE64, GB_STRINGS: set by a reader if the bytes are base64 */
    uint64_t max;    /* bytes of a text, largest number, elements of a list; 0: the limit of the
                      * type */
    const struct gb_words *words;
    const struct gb_object *object;
    const char *doc;
};

struct gb_object {
    const char *name; /* for messages, and the heading on the page */
    const struct gb_member *members;
    size_t count;
    size_t size;         /* of the struct */
    size_t flags_offset; /* offset of its uint32_t flags */
    bool has_section;    /* on the page: other objects that contain it do not list its members */
    /* For elements of a GB_LIST that is stored as pairs; returns false for a pair that is no
     * element. */
    bool (*from_pair)(struct gb_bytes key, struct gb_bytes value, bool brief, void *ret_item);
};

/* The elements of a list, wherever they are stored. Iterate with gb_items_next() (rpc/object.h). */
struct gb_items {
    /* In the server: elements that @next returns from @owner, one at a time from *@at = 0 on, or
     * pairs. */
    bool (*next)(const void *owner, size_t *at, void *ret_item);
    const void *owner;
    struct gb_pairs pairs;
    bool brief;              /* of pairs: write the elements in brief form */
    struct gb_bytes written; /* the whole array as JSON, if that exists already */
    /* In a client. */
    const void *json; /* const struct gb_json *: an array; NULL: one of the above */
};

/* An array of strings, stored the same way; see gb_names_next(). */
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

/* "SIGKILL", or "SIG42" for a signal without a name. */
void gb_signal_to_string(uint32_t signum, char name[GB_SIGNAL_NAME_MAX]);
/* False if it is not a signal. */
bool gb_signal_from_string(struct gb_bytes name, uint32_t *ret_signum);

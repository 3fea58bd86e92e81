/* SPDX-License-Identifier: Apache-2.0 */
/* Objects of the protocol (model/member.h) as JSON: written by the server, read by clients and
 * described in docs/protocol.md, all from the same tables. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "model/member.h"
#include "rpc/json.h"

/* The largest time that can be read: 292 years. */
#define GB_OBJECT_NS_MAX UINT64_C(9200000000000000000)

/* Adds the members of @from to the currently open JSON object. */
void gb_object_write(struct gb_json_out *out, const struct gb_object *object, const void *from);

/* Reads @json into @ret_struct, which borrows from the document. Strict about members that are
 * present: a type other than the table's, a number out of range, an unknown word, a text over its
 * limit or a list with too many elements fails with GB_EINTERNAL ("the server's answer: cell: …"),
 * because a server of this protocol never sends that. Unknown members are ignored; absent or null
 * ones have no value; of duplicates the first counts. After a failure the struct is undefined. */
int gb_object_read(const struct gb_object *object, const struct gb_json *json, void *ret_struct,
                   struct gb_err *err);

/* Whether gb_object_read() would succeed. The client checks the result of every method against the
 * table in the method's row before the caller sees it. */
int gb_object_check(const struct gb_object *object, const struct gb_json *json, struct gb_err *err);
/* Reads an object that was checked: cannot fail. Takes nothing from anything else. */
void gb_object_take(const struct gb_object *object, const struct gb_json *json, void *ret_struct);

/* Iterates over a list of @object, with *@at starting at 0: 1 with an element, 0 at the end. The
 * elements of a list that was read have been checked. */
int gb_items_next(const struct gb_object *object, const struct gb_items *items, size_t *at,
                  void *ret_item);

/* The same for strings: false at the end. */
bool gb_names_next(const struct gb_names *names, size_t *at, struct gb_bytes *ret_name);

/* The number of elements, for pairs and for lists that were read. */
uint32_t gb_items_count(const struct gb_items *items);

/* Appends bytes that were read, decoding them if @is_base64, the flag of their member. False if
 * they are not valid base64. */
bool gb_bytes_add_decoded(struct gb_buf *to, struct gb_bytes bytes, bool is_base64);

/* Writes an object's table as Markdown, or only its rows. */
void gb_object_markdown(struct gb_buf *buf, const struct gb_object *object);
void gb_object_add_rows(struct gb_buf *buf, const struct gb_object *object);
/* The article for its name: "a" or "an". */
const char *gb_object_article(const struct gb_object *object);
/* The same for python/src/glassbell/_objects.py, by which the Python client checks what it reads.
 */
void gb_object_add_python(struct gb_buf *buf, const struct gb_object *object);

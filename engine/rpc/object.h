/* SPDX-License-Identifier: Apache-2.0 */
/* Objects of the protocol (model/member.h) as JSON: the server writes them, clients read them, and
 * docs/protocol.md describes them, all by the same tables.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "model/member.h"
#include "rpc/json.h"

/* The largest time that can be read, 292 years. */
#define GB_OBJECT_NS_MAX UINT64_C(9200000000000000000)

/* Adds the members of @from to the JSON object that is open. */
void gb_object_write(struct gb_json_out *out, const struct gb_object *object, const void *from);

/* Reads @json into @ret_struct, which borrows from the document. Strict in what is there: another
 * type than the table's, a number out of its range, a word that is none, a text over its limit, a
 * list with too many elements fail with GB_EINTERNAL ("the server's answer: cell: …"), because a
 * server of this protocol says no such thing. Members that the table does not have are passed over;
 * those that are missing or null have no value; of two with one name the first counts. After a
 * failure the struct is undefined. */
int gb_object_read(const struct gb_object *object, const struct gb_json *json, void *ret_struct,
                   struct gb_err *err);

/* Whether gb_object_read() would read it. What a method answers is checked by the client, by the
 * table of the method's row, before anybody sees it. */
int gb_object_check(const struct gb_object *object, const struct gb_json *json, struct gb_err *err);
/* Reads what was checked: cannot fail. Of anything else nothing is taken. */
void gb_object_take(const struct gb_object *object, const struct gb_json *json, void *ret_struct);

/* Walks a list of @object, *@at from 0 on: 1 with an element, 0 at the end. Of a list that was read
 * the elements were checked then. */
int gb_items_next(const struct gb_object *object, const struct gb_items *items, size_t *at,
                  void *ret_item);

/* The same of strings: false at the end. */
bool gb_names_next(const struct gb_names *names, size_t *at, struct gb_bytes *ret_name);

/* How many there are: of pairs and of what was read. */
uint32_t gb_items_count(const struct gb_items *items);

/* Adds bytes that were read, which are @is_base64 when the flag of their member is set. False when
 * that is not what they are. */
bool gb_bytes_add_decoded(struct gb_buf *to, struct gb_bytes bytes, bool is_base64);

/* The table of an object as Markdown, and its rows alone. */
void gb_object_markdown(struct gb_buf *buf, const struct gb_object *object);
void gb_object_add_rows(struct gb_buf *buf, const struct gb_object *object);
/* "a" or "an", for its name. */
const char *gb_object_article(const struct gb_object *object);
/* The same for python/src/glassbell/_objects.py, by which the Python client checks what it reads.
 */
void gb_object_add_python(struct gb_buf *buf, const struct gb_object *object);

/* SPDX-License-Identifier: Apache-2.0 */
/* Reads untrusted JSON by the names of its members, and writes it again. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "rpc/json.h"

/* For what has no object table (rpc/object.h), and for one or two members of what has one. None of
 * these fails: a member that is absent or of the wrong type yields empty, 0 or false. */
struct gb_bytes json_text(const struct gb_json *object, const char *name);
/* Copies text to @to, which has @room bytes: truncated between characters, NULs replaced by
 * spaces. */
void json_copy_text(struct gb_bytes text, char *to, size_t room);
void json_copy(const struct gb_json *object, const char *name, char *to, size_t room);
/* Always finite. */
double json_number(const struct gb_json *object, const char *name);
/* A time in seconds; 0 if invalid. */
double json_time(const struct gb_json *object, const char *name);
/* A count, at most 2^53; 0 if invalid. */
uint64_t json_count(const struct gb_json *object, const char *name);
bool json_true(const struct gb_json *object, const char *name);
const struct gb_json *json_member(const struct gb_json *object, const char *name);
/* NULL if it is not an array. */
const struct gb_json *json_array(const struct gb_json *object, const char *name);
/* The number of elements; 0 if it is not an array. */
uint32_t json_list_count(const struct gb_json *list);
/* Iterates over the elements of @list; over none if it is not an array, or NULL. */
#define JSON_FOREACH(item, list)                                                                   \
    for (uint32_t i_ = 0; i_ < json_list_count(list) &&                                            \
                          ((item) = i_ == 0 ? gb_json_first(list) : gb_json_next(item), true);     \
         i_++)
/* Adds the bytes of a text/base64 pair to @out. False if the base64 is invalid. */
bool json_add_bytes(struct gb_buf *out, const struct gb_json *object, const char *text_name,
                    const char *base64_name);
/* Writes a value as JSON again. */
void json_print(struct gb_json_out *out, const char *key, const struct gb_json *value);
/* Rewrites hidden characters (base/hidden.h) as escapes such as \u202e in the JSON in @text from
 * byte @from on: same meaning, but safe to display. */
void json_make_visible(struct gb_buf *text, size_t from);

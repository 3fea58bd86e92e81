/* SPDX-License-Identifier: Apache-2.0 */
/* Reading what the server said without trust, and writing it again.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "rpc/json.h"

/* For what is no object with a table (rpc/object.h): parameters of events, results with two or
 * three members. None of these fails: what is missing or of another type is empty, 0, false. */
struct gb_bytes json_text(const struct gb_json *object, const char *name);
/* Text in @to, which has @room bytes: cut between characters, with spaces for NULs. */
void json_copy_text(struct gb_bytes text, char *to, size_t room);
void json_copy(const struct gb_json *object, const char *name, char *to, size_t room);
/* Finite. */
double json_number(const struct gb_json *object, const char *name);
/* A point in time in seconds; 0 for what cannot be one. */
double json_time(const struct gb_json *object, const char *name);
/* A count; 0 for what is none, and 2^53 at most. */
uint64_t json_count(const struct gb_json *object, const char *name);
bool json_true(const struct gb_json *object, const char *name);
const struct gb_json *json_member(const struct gb_json *object, const char *name);
/* NULL when it is no array. */
const struct gb_json *json_array(const struct gb_json *object, const char *name);
/* How many values an array has; 0 for what is none. */
uint32_t json_list_count(const struct gb_json *list);
/* The bytes of a text/base64 pair, added to @out. False when base64 is not what it should be. */
bool json_add_bytes(struct gb_buf *out, const struct gb_json *object, const char *text_name,
                    const char *base64_name);
/* Writes a value as JSON again. */
void json_print(struct gb_json_out *out, const char *key, const struct gb_json *value);
/* Writes characters that hide something (base/hidden.h) as \u202e in the JSON that stands in @text
 * from byte @from on: it means the same, and may be looked at. */
void json_make_visible(struct gb_buf *text, size_t from);

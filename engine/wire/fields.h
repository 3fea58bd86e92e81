/* SPDX-License-Identifier: Apache-2.0 */
/* Table-driven codec for the payloads of guest frames and control messages.
 *
 * A message is a struct plus a table that lists its fields in wire order. Encoder and decoder use
 * the same table, so they cannot disagree, and every length limit is in one place.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/pairs.h"

enum gb_field_type {
    GB_FIELD_U8,
    GB_FIELD_U32,
    GB_FIELD_U64,
    GB_FIELD_I64,
    GB_FIELD_BYTES, /* struct gb_bytes, at most `limit` bytes */
    GB_FIELD_PAIRS, /* struct gb_pairs, at most `limit` pairs */
    GB_FIELD_TYPE_COUNT
};

struct gb_field {
    const char *name;
    enum gb_field_type type;
    size_t offset; /* in the struct */
    size_t limit;  /* bytes or pairs; for PAIRS, `item_limit` applies to every key and value; for U8
                    * the greatest value, 0: all are valid */
    size_t item_limit;
};

struct gb_fields {
    const char *name; /* of the message */
    const struct gb_field *fields;
    size_t count;
};

/* Adds the payload of @message to @buf. The values are ours: a field over its limit is a bug
 * (assert). */
void gb_fields_encode(const struct gb_fields *table, const void *message, struct gb_buf *buf);

/* Decodes @payload into @ret_message; bytes and pairs borrow from @payload. The payload must be
 * complete, without trailing bytes. On failure (-GB_EINTERNAL) the message is undefined. */
int gb_fields_decode(const struct gb_fields *table, struct gb_bytes payload, void *ret_message,
                     struct gb_err *err);

/* SPDX-License-Identifier: Apache-2.0 */
/* Inserts secrets into the head of a request: a placeholder at the place for which its secret is
 * configured is replaced by the value. Placeholders anywhere else are left alone. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "edge/mask.h"

enum gb_secret_place {
    GB_SECRET_BEARER, /* Authorization: Bearer VALUE */
    GB_SECRET_BASIC,  /* Authorization: Basic, as the user's name or the password */
    GB_SECRET_HEADER, /* anywhere in the named field */
    GB_SECRET_QUERY,  /* the value of the named parameter of the target */
    GB_SECRET_PLACE_COUNT
};

enum {
    GB_SECRET_VALUE_MIN = 8, /* shorter ones would match by accident */
    GB_SECRET_VALUE_MAX = 4096,
    GB_PLACE_METHOD_MAX = 32,
    GB_PLACE_PATH_MAX = 160,
};

struct gb_placed {
    const char *name, *placeholder;
    enum gb_secret_place place;
    const char *key;       /* of the field or the parameter */
    struct gb_bytes value; /* size 0: not available */
    bool used;             /* out: it was put in */
    bool missing;          /* out: it would have been, but is not available */
    bool repeated;         /* out: its placeholder occurs there more than once */
};

/* What the head says, without secrets. */
struct gb_place_found {
    char method[GB_PLACE_METHOD_MAX + 1], path[GB_PLACE_PATH_MAX + 1]; /* cut; no query */
    bool upgrade; /* the request asks for the protocol websocket */
    bool other_upgrade;
};

/* @value without its last line end: valid if it consists of printable ASCII without spaces at its
 * ends, and has a valid length. */
bool gb_place_value_is_valid(struct gb_bytes value);

/* Adds to @out the head, which gb_http has checked, with values in place of placeholders, at most
 * one of each. Also asks the server not to compress its response, and if there is a value, not to
 * send a part of it: such a response could not be searched. */
void gb_place_head(struct gb_bytes head, struct gb_placed *placed, size_t count,
                   struct gb_place_found *ret_found, struct gb_buf *out);

/* Adds to @mask, for @owners, the value and the other forms in which it is sent, which a server may
 * echo. False if there is no room. */
bool gb_place_mask(const struct gb_placed *placed, struct gb_mask *mask, uint32_t owners);

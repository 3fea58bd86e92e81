/* SPDX-License-Identifier: Apache-2.0 */
/* The description of a secret in the settings: where its value comes from, for which hosts and in
 * which place of a request it is. No values. Pure.
 *
 *   file PATH | env NAME | command TEXT…     where the value comes from: exactly one of these
 *   hosts NAME…                              names, or "*." and one
 *   place bearer | basic | header NAME | query NAME
 *   variable NAME                            of the guest; default: the secret's name
 *   expires DURATION                         the value is read anew after so long; default: never
 *   trust PATH                               certificates that vouch for the hosts; default: the
 *                                            system's
 * Lines may stand in any order; `#` starts a comment. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum gb_secret_source { GB_SECRET_NOWHERE, GB_SECRET_FILE, GB_SECRET_ENV, GB_SECRET_COMMAND };

enum gb_secret_where {
    GB_SECRET_IN_BEARER, /* in the order of enum gb_secret_place (edge/place.h) */
    GB_SECRET_IN_BASIC,
    GB_SECRET_IN_HEADER,
    GB_SECRET_IN_QUERY,
    GB_SECRET_IN_NOTHING, /* not given */
};

enum {
    GB_SECRET_NAME_MAX = 64,
    GB_SECRET_HOSTS_MAX = 32,
    GB_SECRET_TEXT_MAX = 16 * 1024,
};

struct gb_secret {
    char name[GB_SECRET_NAME_MAX + 1], variable[GB_SECRET_NAME_MAX + 1];
    enum gb_secret_source source;
    char *origin; /* the path, the variable, or the command */
    enum gb_secret_where where;
    char key[GB_SECRET_NAME_MAX + 1]; /* of the header field or the parameter; else "" */
    char *hosts[GB_SECRET_HOSTS_MAX]; /* normalised, or with a wildcard */
    size_t host_count;
    uint64_t expires_ms; /* 0: never */
    char *trust;         /* a path; NULL: the system's */
};

/* Parses the lines of `[secret "NAME"]`. GB_EINVALID names the secret and the line. Release it in
 * any case. */
int gb_secret_parse(struct gb_secret *secret, const char *name, struct gb_bytes text,
                    struct gb_err *err);
void gb_secret_release(struct gb_secret *secret);
/* The same again. Release it. */
struct gb_secret gb_secret_copy(const struct gb_secret *secret);
bool gb_secret_covers(const struct gb_secret *secret, const char *host);
/* GB_EINVALID if a session cannot have both, because they are for the same variable, or for the
 * same host: in the same place of requests, or with other certificates that vouch for it. */
int gb_secret_check_both(const struct gb_secret *a, const struct gb_secret *b, struct gb_err *err);
/* "bearer", "header X-Key"; for people. */
void gb_secret_write_place(const struct gb_secret *secret, struct gb_buf *text);

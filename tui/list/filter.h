/* SPDX-License-Identifier: Apache-2.0 */
/* The filter language of `/`: which sessions are shown.
 *
 *     web mem>150M lang=py            words, fields: all must fit
 *     idle>2m or state=input          or: one side must fit
 *     !owner=ci not "two words"       not
 *     train-*-v2 client=ci-?          wildcards, unless quoted: any characters, one character
 *     ~prsr                           these letters in this order, in the name
 *
 * Fields: name, id, host, key, owner, client, image, lang, state, source, net, code (text: = is, !=
 * is not, ~ has it in it; = also takes a beginning for client, image, lang and state, which is the
 * word that the list shows, or the server's name for it); mem, limit, cpu, idle, age, cells, fails
 * (numbers: = != < <= > >=). Sizes end in k, M, G; times in ms, s, m, h, d; cpu in %. A word alone
 * looks into all text.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "store/store.h"

enum { FILTER_TERMS_MAX = 32, FILTER_TEXT_MAX = 128, FILTER_LINE_MAX = 1024 };

enum filter_field {
    FIELD_ANY,
    FIELD_NAME,
    FIELD_ID,
    FIELD_HOST,
    FIELD_KEY,
    FIELD_OWNER,
    FIELD_CLIENT,
    FIELD_IMAGE,
    FIELD_LANGUAGE,
    FIELD_STATE,
    FIELD_SOURCE,
    FIELD_NETWORK,
    FIELD_CODE,
    FIELD_MEMORY, /* numbers from here on */
    FIELD_LIMIT,
    FIELD_CPU,
    FIELD_IDLE,
    FIELD_AGE,
    FIELD_CELLS,
    FIELD_FAILURES,
    FIELD_COUNT
};

enum filter_operator {
    OPERATOR_HAS,
    OPERATOR_IS,
    OPERATOR_IS_NOT,
    OPERATOR_LESS,
    OPERATOR_AT_MOST,
    OPERATOR_MORE,
    OPERATOR_AT_LEAST,
};

struct filter_term {
    enum filter_field field;
    enum filter_operator relation;
    bool inverse;
    bool begins; /* a new alternative, after `or` */
    bool wild;   /* @text has wildcards */
    bool fuzzy;  /* @text is a few letters of the name */
    double number;
    char text[FILTER_TEXT_MAX]; /* lower case */
};

/* Without terms: everything matches. */
struct filter {
    struct filter_term terms[FILTER_TERMS_MAX];
    size_t count;
};

/* GB_EINVALID with a message; *ret_filter is then unchanged. */
int filter_parse(struct gb_bytes text, struct filter *ret_filter, struct gb_err *err);
bool filter_match(const struct filter *filter, const struct session *session, double now);

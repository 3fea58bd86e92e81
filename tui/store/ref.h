/* SPDX-License-Identifier: Apache-2.0 */
/* Remembers a session that may be gone when it is needed: by its server and its id, since two
 * servers may use the same id. */
#pragma once

#include "store/store.h"

/* Of no session if @id is empty. */
struct session_ref {
    struct store *store; /* borrowed */
    char id[STORE_NAME_MAX];
};

/* @session NULL: refers to none. */
void ref_set(struct session_ref *ref, const struct session *session);
/* The session's id need not be known yet. */
void ref_set_id(struct session_ref *ref, struct store *store, const char *id);
bool ref_is(const struct session_ref *ref, const struct session *session);
/* NULL: there is none, or it is not known. */
struct session *ref_find(const struct session_ref *ref);

/* SPDX-License-Identifier: Apache-2.0 */
#include "store/ref.h"

#include <stdio.h>
#include <string.h>

void ref_set_id(struct session_ref *ref, struct store *store, const char *id)
{
    ref->store = store;
    (void)snprintf(ref->id, sizeof(ref->id), "%s", id);
}

void ref_set(struct session_ref *ref, const struct session *session)
{
    if (session != NULL)
        ref_set_id(ref, session->store, session->id);
    else
        *ref = (struct session_ref){0};
}

bool ref_is(const struct session_ref *ref, const struct session *session)
{
    return ref->id[0] != '\0' && session->store == ref->store && strcmp(session->id, ref->id) == 0;
}

struct session *ref_find(const struct session_ref *ref)
{
    return ref->id[0] != '\0' ? store_find(ref->store, ref->id) : NULL;
}

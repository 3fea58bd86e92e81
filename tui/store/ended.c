/* SPDX-License-Identifier: Apache-2.0 */
#include "store/ended.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/answer.h"
#include "model/session.h"
#include "rpc/access.h"
#include "rpc/object.h"
#include "store/read.h"

struct session *ended_find(struct store *store, const char *id)
{
    struct session *session;

    GB_LIST_FOREACH(session, &store->ended, link)
        if (strcmp(session->id, id) == 0)
            return session;
    return NULL;
}

static void ended_drop(struct store *store, struct session *session)
{
    store->ended_count--;
    gb_list_remove(&session->link);
    free(session);
}

void ended_clear(struct store *store)
{
    struct session *session;

    GB_LIST_FOREACH(session, &store->ended, link)
        ended_drop(store, session);
}

/* *@at, the session behind the last one, is tried first: a list has mostly the order of the one
 * before. */
static struct session *ended_find_near(struct store *store, const char *id, struct gb_list **at)
{
    struct session *session = *at == &store->ended ? NULL : container_of(*at, struct session, link);

    if (session == NULL || strcmp(session->id, id) != 0)
        session = ended_find(store, id);
    if (session != NULL)
        *at = session->link.next;
    return session;
}

static void ended_add(struct store *store, const struct gb_session_info *info, struct gb_list **at)
{
    struct session *session;
    char id[STORE_NAME_MAX];

    if (info->id.size == 0 || info->id.size >= sizeof(id))
        return;
    json_copy_text(info->id, id, sizeof(id));
    session = ended_find_near(store, id, at);
    if (session == NULL) {
        if (store->ended_count >= STORE_ENDED_MAX)
            return;
        session = xcalloc(1, sizeof(*session));
        session->store = store;
        memcpy(session->id, id, sizeof(id));
        gb_list_add_tail(&store->ended, &session->link);
        store->ended_count++;
    }
    read_session(session, info);
    session->named = true;
}

void ended_take(struct store *store, const struct gb_json *result, enum session_state state)
{
    struct gb_sessions_info list;
    struct gb_session_info info;
    struct session *session;
    struct gb_list *near = store->ended.next;
    struct gb_err err;

    if (gb_object_read(&gb_sessions_object, result, &list, &err) < 0)
        return;
    GB_LIST_FOREACH(session, &store->ended, link)
        session->named = session->state != state;
    for (size_t at = 0; gb_items_next(&gb_session_object, &list.sessions, &at, &info) == 1;)
        if (info.state == (uint8_t)state)
            ended_add(store, &info, &near);
    GB_LIST_FOREACH(session, &store->ended, link)
        if (!session->named)
            ended_drop(store, session);
    store->change++;
}

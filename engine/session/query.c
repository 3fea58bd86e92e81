/* SPDX-License-Identifier: Apache-2.0 */
#include "query.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "session/internal.h"
#include "wire/sync.h"

struct session_query {
    struct gb_list link; /* in session->queries */
    struct gb_session *session;
    void (*answer)(struct session_query *query, const struct gb_frame *frame,
                   const struct gb_err *err);
    union {
        gb_session_status_fn *status;
        gb_session_completions_fn *completions;
        gb_session_completeness_fn *completeness;
        gb_session_description_fn *description;
        gb_session_page_fn *page;
        gb_session_entry_fn *entry;
        gb_vm_done_fn *plain;
    } done;
    void *arg;
    bool forgotten;
    uint32_t limit;      /* of a page */
    struct gb_buf after; /* likewise */
    struct gb_err bad;   /* what is wrong with the answer */
};

static void query_free(struct session_query *query)
{
    gb_list_remove(&query->link);
    gb_buf_release(&query->after);
    free(query);
}

void session_queries_free(struct gb_session *session)
{
    struct gb_list *link;

    while ((link = gb_list_pop(&session->queries)) != NULL)
        query_free(container_of(link, struct session_query, link));
}

void session_queries_forget(struct gb_session *session, const void *arg)
{
    struct session_query *query;

    GB_LIST_FOREACH(query, &session->queries, link)
        query->forgotten = query->forgotten || query->arg == arg;
}

static void query_on_reply(void *arg, const struct gb_frame *frame, const struct gb_err *err)
{
    struct session_query *query = arg;

    if (!query->forgotten)
        query->answer(query, frame, err);
    query_free(query);
}

/* Sends @query, taken. */
static int query_send(struct session_query *query, enum gb_guest_type type,
                      const struct gb_fields *table, const void *message, uint64_t deadline_ms,
                      struct gb_err *err)
{
    int r = session_request(query->session, type, 0, table, message, deadline_ms, query_on_reply,
                            query, err);

    if (r < 0)
        query_free(query);
    return r;
}

static struct session_query *query_new(struct gb_session *session, void *arg)
{
    struct session_query *query = xcalloc(1, sizeof(*query));

    query->session = session;
    query->arg = arg;
    gb_list_add_tail(&session->queries, &query->link);
    return query;
}

/* ---- answers ---- */

/* The answer breaks the protocol, as query->bad says. */
static const struct gb_err *query_violation(struct session_query *query)
{
    gb_session_violation(query->session, &query->bad);
    return &query->bad;
}

/* Decodes the answer, if there is one. Returns the error for the caller, or NULL. */
static const struct gb_err *query_decode(struct session_query *query, const struct gb_frame *frame,
                                         const struct gb_err *err, const struct gb_fields *table,
                                         void *ret_message)
{
    if (frame == NULL)
        return err;
    if (gb_fields_decode(table, frame->payload, ret_message, &query->bad) < 0)
        return query_violation(query);
    return NULL;
}

static void query_on_done(struct session_query *query, const struct gb_frame *frame,
                          const struct gb_err *err)
{
    query->done.plain(query->arg, frame != NULL ? NULL : err);
}

static void query_on_status(struct session_query *query, const struct gb_frame *frame,
                            const struct gb_err *err)
{
    struct gb_status status;

    err = query_decode(query, frame, err, &gb_status_fields, &status);
    query->done.status(query->arg, err == NULL ? &status : NULL, err);
}

static void query_on_completions(struct session_query *query, const struct gb_frame *frame,
                                 const struct gb_err *err)
{
    struct gb_completions completions;

    err = query_decode(query, frame, err, &gb_completions_fields, &completions);
    query->done.completions(query->arg, err == NULL ? &completions : NULL, err);
}

static void query_on_completeness(struct session_query *query, const struct gb_frame *frame,
                                  const struct gb_err *err)
{
    struct gb_completeness_reply reply;

    err = query_decode(query, frame, err, &gb_completeness_fields, &reply);
    query->done.completeness(query->arg, err == NULL ? &reply : NULL, err);
}

static void query_on_description(struct session_query *query, const struct gb_frame *frame,
                                 const struct gb_err *err)
{
    struct gb_description description;

    err = query_decode(query, frame, err, &gb_description_fields, &description);
    query->done.description(query->arg, err == NULL ? &description : NULL, err);
}

/* ---- FILE_ENTRIES ---- */

/* Whether @name is greater than @last, bytewise. Required whatever the guest sends, so that paging
 * through a folder terminates. */
static bool query_comes_behind(struct gb_bytes name, struct gb_bytes last)
{
    int order = last.size == 0 ? 0 : memcmp(name.data, last.data, MIN(name.size, last.size));

    return order > 0 || (order == 0 && name.size > last.size);
}

static int query_read_entries(struct session_query *query, struct gb_bytes payload,
                              struct gb_file_entry **ret_entries, struct gb_session_page *page)
{
    struct gb_bytes rest = {0}, last = gb_buf_bytes(&query->after);
    struct gb_err *bad = &query->bad;
    struct gb_file_entry *entries;
    int r = gb_entries_head(payload, &page->more, &page->count, &rest, bad);

    if (r == 0 && (page->count > query->limit || (page->count == 0 && page->more)))
        r = gb_err_set(bad, GB_EINTERNAL, "FILE_ENTRIES is not what was asked for");
    if (r < 0)
        return r;
    entries = xcalloc(MAX(page->count, 1U), sizeof(*entries));
    for (uint32_t i = 0; i < page->count && r == 0; i++) {
        r = gb_entries_next(&rest, &entries[i], bad);
        if (r == 0 && gb_bytes_equal(entries[i].name, "."))
            r = gb_err_set(bad, GB_EINTERNAL, "FILE_ENTRIES: a folder is in itself");
        if (r == 0 && !query_comes_behind(entries[i].name, last))
            r = gb_err_set(bad, GB_EINTERNAL, "FILE_ENTRIES is not in order");
        last = entries[i].name;
    }
    if (r == 0 && rest.size > 0)
        r = gb_err_set(bad, GB_EINTERNAL, "FILE_ENTRIES has too many bytes");
    if (r < 0) {
        free(entries);
        return r;
    }
    page->entries = *ret_entries = entries;
    return 0;
}

static void query_on_page(struct session_query *query, const struct gb_frame *frame,
                          const struct gb_err *err)
{
    _cleanup_(freep) struct gb_file_entry *entries = NULL;
    struct gb_session_page page = {0};

    if (frame != NULL && query_read_entries(query, frame->payload, &entries, &page) < 0)
        err = query_violation(query);
    query->done.page(query->arg, err == NULL ? &page : NULL, err);
}

static void query_on_entry(struct session_query *query, const struct gb_frame *frame,
                           const struct gb_err *err)
{
    struct gb_file_entry entry = {0};
    struct gb_bytes rest;
    uint32_t count;
    bool more;
    int r = 0;

    if (frame != NULL) {
        r = gb_entries_head(frame->payload, &more, &count, &rest, &query->bad);
        if (r == 0)
            r = gb_entries_next(&rest, &entry, &query->bad);
        if (r == 0 && (count != 1 || more || rest.size > 0))
            r = gb_err_set(&query->bad, GB_EINTERNAL, "FILE_ENTRIES is not what was asked for");
    }
    if (r < 0)
        err = query_violation(query);
    query->done.entry(query->arg, err == NULL ? &entry : NULL, err);
}

/* ---- requests ---- */

int gb_session_status(struct gb_session *session, uint64_t deadline_ms, gb_session_status_fn *done,
                      void *arg, struct gb_err *err)
{
    struct session_query *query = query_new(session, arg);

    query->answer = query_on_status;
    query->done.status = done;
    return query_send(query, GB_GUEST_STAT, NULL, NULL, deadline_ms, err);
}

int gb_session_complete(struct gb_session *session, const struct gb_complete *what,
                        gb_session_completions_fn *done, void *arg, struct gb_err *err)
{
    struct session_query *query = query_new(session, arg);

    query->answer = query_on_completions;
    query->done.completions = done;
    return query_send(query, GB_GUEST_COMPLETE, &gb_complete_fields, what, 0, err);
}

int gb_session_is_complete(struct gb_session *session, struct gb_bytes code,
                           gb_session_completeness_fn *done, void *arg, struct gb_err *err)
{
    const struct gb_is_complete message = {.code = code};
    struct session_query *query = query_new(session, arg);

    query->answer = query_on_completeness;
    query->done.completeness = done;
    return query_send(query, GB_GUEST_IS_COMPLETE, &gb_is_complete_fields, &message, 0, err);
}

int gb_session_describe(struct gb_session *session, struct gb_bytes code,
                        gb_session_description_fn *done, void *arg, struct gb_err *err)
{
    const struct gb_describe message = {.code = code};
    struct session_query *query = query_new(session, arg);

    query->answer = query_on_description;
    query->done.description = done;
    return query_send(query, GB_GUEST_DESCRIBE, &gb_describe_fields, &message, 0, err);
}

int gb_session_list_folder(struct gb_session *session, const struct gb_file_list *what,
                           gb_session_page_fn *done, void *arg, struct gb_err *err)
{
    struct session_query *query = query_new(session, arg);

    assert(what->limit > 0 && what->limit <= GB_ENTRIES_MAX);
    query->answer = query_on_page;
    query->done.page = done;
    query->limit = what->limit;
    gb_buf_add(&query->after, what->after.data, what->after.size);
    return query_send(query, GB_GUEST_FILE_LIST, &gb_file_list_fields, what, 0, err);
}

int gb_session_stat_file(struct gb_session *session, struct gb_bytes path,
                         gb_session_entry_fn *done, void *arg, struct gb_err *err)
{
    const struct gb_file_path message = {.path = path};
    struct session_query *query = query_new(session, arg);

    query->answer = query_on_entry;
    query->done.entry = done;
    return query_send(query, GB_GUEST_FILE_STAT, &gb_file_path_fields, &message, 0, err);
}

/* A request whose answer only says that it was done. */
static int query_order(struct gb_session *session, enum gb_guest_type type,
                       const struct gb_fields *table, const void *message, gb_vm_done_fn *done,
                       void *arg, struct gb_err *err)
{
    struct session_query *query = query_new(session, arg);

    query->answer = query_on_done;
    query->done.plain = done;
    return query_send(query, type, table, message, 0, err);
}

int gb_session_remove_file(struct gb_session *session, const struct gb_file_change *what,
                           gb_vm_done_fn *done, void *arg, struct gb_err *err)
{
    return query_order(session, GB_GUEST_FILE_REMOVE, &gb_file_change_fields, what, done, arg, err);
}

int gb_session_make_folder(struct gb_session *session, const struct gb_file_change *what,
                           gb_vm_done_fn *done, void *arg, struct gb_err *err)
{
    return query_order(session, GB_GUEST_FILE_MKDIR, &gb_file_change_fields, what, done, arg, err);
}

int gb_session_network(struct gb_session *session, enum gb_session_network how, const uint8_t *mark,
                       gb_vm_done_fn *done, void *arg, struct gb_err *err)
{
    static const enum gb_guest_type types[] = {
        [GB_SESSION_NETWORK_START] = GB_GUEST_NETWORK_START,
        [GB_SESSION_NETWORK_ON] = GB_GUEST_NETWORK_ON,
        [GB_SESSION_NETWORK_OFF] = GB_GUEST_NETWORK_OFF,
    };
    const struct gb_network_begin begin = {.mark = {mark, GB_SYNC_BYTES}};

    static_assert(ARRAY_SIZE(types) == GB_SESSION_NETWORK_COUNT, "one for each");
    if (how == GB_SESSION_NETWORK_OFF)
        return query_order(session, types[how], NULL, NULL, done, arg, err);
    return query_order(session, types[how], &gb_network_begin_fields, &begin, done, arg, err);
}

int gb_session_trust(struct gb_session *session, struct gb_bytes certificates, gb_vm_done_fn *done,
                     void *arg, struct gb_err *err)
{
    const struct gb_trust message = {.certificates = certificates};

    return query_order(session, GB_GUEST_TRUST, &gb_trust_fields, &message, done, arg, err);
}

int gb_session_mount_packages(struct gb_session *session, gb_vm_done_fn *done, void *arg,
                              struct gb_err *err)
{
    return query_order(session, GB_GUEST_PACKAGES, NULL, NULL, done, arg, err);
}

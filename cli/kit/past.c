/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/past.h"

#include <string.h>

#include "base/mem.h"
#include "model/answer.h"
#include "rpc/access.h"
#include "rpc/object.h"

enum { PAGE = 50, RECORD_PAGE = 500, DEADLINE_MS = 60000 };

struct search {
    const char *name;
    struct gb_buf best; /* the object of the best match so far */
    uint64_t created_at_ns;
    size_t beginnings; /* number of ids with this prefix */
    bool exact, found;
};

static void past_keep(struct search *search, const struct gb_session_info *session,
                      const struct gb_json *json)
{
    struct gb_json_out out = {.buf = &search->best};

    gb_buf_clear(&search->best);
    json_print(&out, NULL, json);
    search->created_at_ns = session->created_at_ns;
    search->found = true;
}

static void past_consider(struct search *search, const struct gb_json *json)
{
    size_t size = strlen(search->name);
    struct gb_session_info session;
    bool exact;

    gb_object_take(&gb_session_object, json, &session);
    exact = gb_bytes_equal(session.id, search->name) || gb_bytes_equal(session.key, search->name) ||
            gb_bytes_equal(session.label, search->name);
    if (exact) {
        if (!search->exact || session.created_at_ns > search->created_at_ns)
            past_keep(search, &session, json);
        search->exact = true;
    } else if (!search->exact && session.id.size >= size &&
               memcmp(session.id.data, search->name, size) == 0) {
        search->beginnings++;
        past_keep(search, &session, json);
    }
}

static void past_search_list(void *arg, const struct gb_json *result)
{
    const struct gb_json *list = json_member(result, "sessions"), *session = NULL;

    JSON_FOREACH(session, list)
        past_consider(arg, session);
}

bool past_list(struct app *app, const char *state, app_use *use, void *arg)
{
    struct gb_buf params = {0};
    struct gb_json_out out = {.buf = &params};
    bool good;

    gb_json_object(&out, NULL);
    if (state != NULL)
        gb_json_put_str(&out, "state", state);
    gb_json_end(&out);
    good = app_call(app, "session.list", &params, DEADLINE_MS, use, arg);
    gb_buf_release(&params);
    return good;
}

bool past_find(struct app *app, const char *name, struct past *ret_past)
{
    static const enum gb_session_state ended[] = {GB_SESSION_CLOSED, GB_SESSION_LOST};
    struct search search = {.name = name};
    struct past *past = ret_past;
    bool good, open;

    *past = (struct past){.app = app};
    if (name[0] == '\0') {
        app_say("the name of a session is empty: give an id, a key or a label");
        return false;
    }
    good = past_list(app, NULL, past_search_list, &search);
    open = search.exact;
    for (size_t i = 0; good && !open && i < ARRAY_SIZE(ended); i++)
        good = past_list(app, gb_session_state_to_string(ended[i]), past_search_list, &search);
    if (good && search.found && (search.exact || search.beginnings == 1) &&
        gb_json_parse(&past->doc, search.best.memory + search.best.start, search.best.size,
                      SIZE_MAX, NULL) == 0) {
        gb_object_take(&gb_session_object, &past->doc.nodes[0], &past->info);
        past->text = search.best;
        past->id = xstrndup((const char *)past->info.id.data, past->info.id.size);
        past->open = past->info.state < GB_SESSION_CLOSED;
        return true;
    }
    if (good && search.beginnings > 1 && !search.exact)
        app_say("%zu sessions are called %s; give more of the id", search.beginnings, name);
    else if (good)
        app_say("there is no session %s, and none is remembered", name);
    gb_buf_release(&search.best);
    return false;
}

void past_release(struct past *past)
{
    gb_json_release(&past->doc);
    gb_buf_release(&past->text);
    free(past->id);
}

const struct gb_json *past_session(const struct past *past)
{
    return &past->doc.nodes[0];
}

struct page {
    past_each *each;
    void *arg;
    uint64_t last;
    uint32_t count;
    bool stop, refused;
};

static void past_use_page(void *arg, const struct gb_json *result)
{
    struct page *page = arg;
    const struct gb_json *list = json_array(result, "cells"), *json = NULL;
    struct gb_err err = {0};

    page->count = json_list_count(list);
    JSON_FOREACH(json, list) {
        struct gb_cell_info cell;

        if (page->stop)
            break;
        if (gb_object_read(&gb_cell_object, json, &cell, &err) < 0) {
            app_say_err(&err);
            page->stop = page->refused = true;
            break;
        }
        if (cell.number <= page->last) {
            page->stop = true; /* invalid answer from the server: it would continue for ever */
            break;
        }
        page->last = cell.number;
        page->stop = !page->each(page->arg, &cell, json);
    }
}

bool past_read(struct past *past, uint64_t after, uint64_t limit, past_each *each, void *arg)
{
    struct page page = {.each = each, .arg = arg, .last = after, .count = 1};
    uint64_t left = limit == 0 ? UINT64_MAX : limit;

    while (page.count > 0 && !page.stop && left > 0) {
        struct gb_buf params = {0};
        struct gb_json_out out = {.buf = &params};
        bool good;

        gb_json_object(&out, NULL);
        gb_json_put_str(&out, "session", past->id);
        gb_json_put_u64(&out, "after", page.last);
        gb_json_put_u64(&out, "limit", MIN(left, (uint64_t)PAGE));
        if (past->annotated) {
            gb_json_put_bool(&out, "annotated", true);
            gb_json_put_bool(&out, "output", false);
        }
        gb_json_end(&out);
        good = app_call(past->app, "session.history", &params, DEADLINE_MS, past_use_page, &page);
        gb_buf_release(&params);
        if (!good || page.refused)
            return false;
        left -= MIN(left, (uint64_t)page.count);
    }
    return true;
}

/* ---- network ---- */

struct record_page {
    past_each_record *each;
    void *arg;
    uint64_t next;
    bool more;
};

static void past_use_records(void *arg, const struct gb_json *result)
{
    struct record_page *page = arg;
    struct gb_network_log_info info;
    const struct gb_json *list, *json = NULL;

    gb_object_take(&gb_network_log_object, result, &info);
    list = info.records.json;
    page->more = (info.flags & GB_PAGE_MORE) != 0 && info.next > page->next;
    JSON_FOREACH(json, list) {
        struct gb_network_record record;

        gb_object_take(&gb_network_record_object, json, &record);
        if (page->each(page->arg, &record, json))
            continue;
        page->more = false;
        break;
    }
    page->next = info.next;
}

bool past_read_network(struct past *past, past_each_record *each, void *arg)
{
    struct record_page page = {.each = each, .arg = arg, .more = true};
    bool good = true;

    while (good && page.more) {
        struct gb_buf params = {0};
        struct gb_json_out out = {.buf = &params};

        gb_json_object(&out, NULL);
        gb_json_put_str(&out, "session", past->id);
        gb_json_put_u64(&out, "after", page.next);
        gb_json_put_u64(&out, "limit", RECORD_PAGE);
        gb_json_end(&out);
        good = app_call(past->app, "session.network_log", &params, DEADLINE_MS, past_use_records,
                        &page);
        gb_buf_release(&params);
    }
    return good;
}

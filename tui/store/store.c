/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "model/cell.h"
#include "model/capacity.h"
#include "model/event.h"
#include "model/session.h"
#include "rpc/access.h"
#include "rpc/object.h"
#include "screen/style.h"
#include "store/ended.h"
#include "store/question.h"
#include "store/read.h"

/* How close to a limit a session needs attention. */
#define NEAR_MEMORY 0.9
#define NEAR_END_S 120.0

enum { SAME_FAILURES = 3 };

static const struct {
    const char *word, *sign;
    enum role role;
} states[] = {
    [SESSION_STARTING] = {"starting", "◌", ROLE_STARTING},
    [SESSION_IDLE] = {"idle", "○", ROLE_IDLE},
    [SESSION_RUNNING] = {"running", "●", ROLE_RUNNING},
    [SESSION_WAITING] = {"input?", "◐", ROLE_WAITING},
    [SESSION_ASLEEP] = {"asleep", "z", ROLE_DIM},
    [SESSION_CLOSED] = {"closed", "·", ROLE_DIM},
    [SESSION_LOST] = {"lost", "✕", ROLE_LOST},
    [SESSION_FAILED] = {"failed", "✕", ROLE_FAILED},
    [SESSION_CLOSING] = {"closing", "◌", ROLE_WAITING},
    [SESSION_OFFLINE] = {"offline", "✕", ROLE_DIM},
};
static_assert(ARRAY_SIZE(states) == SESSION_STATE_COUNT, "a row for each state");
static_assert((int)SESSION_FAILED == (int)GB_SESSION_STATE_COUNT, "behind what the server has");

void store_init(struct store *store)
{
    *store = (struct store){0};
    gb_list_init(&store->sessions);
    gb_list_init(&store->ended);
    gb_list_init(&store->listeners);
}

static void drop_session(struct store *store, struct session *session)
{
    if (session_gone(session))
        store->gone_count--;
    store->session_count--;
    questions_clear(session);
    gb_list_remove(&session->link);
    free(session);
}

/* Forgets everything except the listeners: the server is a different one. */
static void store_clear(struct store *store)
{
    struct session *session;

    ended_clear(store);
    GB_LIST_FOREACH(session, &store->sessions, link)
        drop_session(store, session);
    store->pool_count = 0;
    store->host = (struct host){0};
    store->server = (struct server){0};
    gb_languages_release(&store->languages);
    store->subscription = 0;
    store->ready = false;
    store->change++;
}

void store_release(struct store *store)
{
    store_clear(store);
    gb_list_init(&store->listeners);
}

void store_listen(struct store *store, struct store_listener *listener, store_listen_cb *call,
                  void *arg)
{
    listener->call = call;
    listener->arg = arg;
    gb_list_add_tail(&store->listeners, &listener->link);
}

void store_unlisten(struct store_listener *listener)
{
    if (listener->link.next != NULL)
        gb_list_remove(&listener->link);
}

static struct session *find_bytes(struct store *store, struct gb_bytes id)
{
    struct session *session;

    GB_LIST_FOREACH(session, &store->sessions, link)
        if (gb_bytes_equal(id, session->id))
            return session;
    return NULL;
}

struct session *store_find(struct store *store, const char *id)
{
    struct session *session = find_bytes(store, gb_bytes_str(id));

    return session != NULL ? session : ended_find(store, id);
}

static struct session *add_session(struct store *store, struct gb_bytes id)
{
    struct session *session;

    if (id.size == 0 || id.size >= STORE_NAME_MAX || store->session_count >= STORE_SESSIONS_MAX)
        return NULL;
    session = xcalloc(1, sizeof(*session));
    memcpy(session->id, id.data, id.size);
    session->store = store;
    session->offline = store->offline;
    session->order = ++store->next_order;
    gb_list_add_tail(&store->sessions, &session->link);
    store->session_count++;
    return session;
}

void store_set_offline(struct store *store, bool offline)
{
    struct session *session;

    store->offline = offline;
    GB_LIST_FOREACH(session, &store->sessions, link)
        session->offline = offline;
}

static void samples_add(struct samples *samples, double value)
{
    if (samples->count == STORE_SAMPLES) {
        memmove(samples->values, samples->values + 1, (STORE_SAMPLES - 1) * sizeof(float));
        samples->count--;
    }
    samples->values[samples->count++] = (float)value;
}

/* ---- sessions ---- */

static void read_lease(struct store *store, struct lease *lease, const struct gb_lease_info *info)
{
    *lease = (struct lease){.held = info != NULL};
    if (info == NULL)
        return;
    json_copy_text(info->holder, lease->holder, sizeof(lease->holder));
    json_copy_text(info->note, lease->note, sizeof(lease->note));
    lease->since = (double)info->since_ns / GB_NS_PER_S;
    lease->human = (info->flags & GB_LEASE_HUMAN) != 0;
    lease->waiting = (uint32_t)MIN(info->waiting, (uint64_t)UINT32_MAX);
    lease->mine = store->server.client != 0 && info->client == store->server.client;
}

static void read_timing(struct session *session, const struct gb_json *timing)
{
    if (timing == NULL || timing->type != GB_JSON_OBJECT)
        return;
    session->timing_total_ms = json_number(timing, "total_ms");
    session->timing_admission_ms = json_number(timing, "admission_ms");
    session->timing_boot_ms = json_number(timing, "boot_ms");
    session->timing_worker_ms = json_number(timing, "worker_ms");
}

/* Not sent by any server so far. */
static void read_to_come(struct session *session, const struct gb_json *info)
{
    read_timing(session, json_member(info, "timing"));
}

/* False: it violates the protocol, and is ignored completely. */
static bool store_read(struct store *store, const struct gb_object *object,
                       const struct gb_json *json, void *ret_struct)
{
    struct gb_err err = {0};

    if (gb_object_read(object, json, ret_struct, &err) == 0)
        return true;
    if (strcmp(err.message, store->trouble) != 0) {
        (void)snprintf(store->trouble, sizeof(store->trouble), "%s", err.message);
        store->trouble_is_new = true;
    }
    return false;
}

const char *store_new_trouble(struct store *store)
{
    const bool is_new = store->trouble_is_new;

    store->trouble_is_new = false;
    return is_new ? store->trouble : NULL;
}

static struct session *store_take_session(struct store *store, const struct gb_json *info)
{
    struct gb_session_info told;
    struct session *session;

    if (!store_read(store, &gb_session_object, info, &told))
        return NULL;
    session = find_bytes(store, told.id);
    if (session == NULL)
        session = add_session(store, told.id);
    if (session == NULL)
        return NULL;
    read_session(session, &told);
    read_to_come(session, info);
    if (json_member(info, "failed") != NULL && session->state == SESSION_IDLE)
        session->last.failed = (told.flags & GB_SESSION_FAILED) != 0;
    if (json_member(info, "lease") != NULL)
        read_lease(store, &session->lease,
                   (told.flags & GB_SESSION_HAS_LEASE) != 0 ? &told.lease : NULL);
    return session;
}

/* Removes the oldest ended ones to make room. */
static void limit_gone(struct store *store)
{
    struct session *session;

    GB_LIST_FOREACH(session, &store->sessions, link)
        if (store->gone_count > STORE_GONE_MAX && session_gone(session))
            drop_session(store, session);
}

static void end_session(struct store *store, struct session *session,
                        const struct gb_event_info *event)
{
    enum gb_end end = GB_END_CLOSED;

    if (session_gone(session))
        return;
    (void)gb_end_from_string(event->reason, &end);
    session->state = end == GB_END_CRASHED || end == GB_END_LOST ? SESSION_LOST : SESSION_CLOSED;
    json_copy_text(event->message.size > 0 ? event->message : event->reason, session->reason,
                   sizeof(session->reason));
    session->last.running = session->last.waiting = false;
    session->marked = false;
    session->closing_ns = 0;
    session->cpu_share = 0;
    session->lease = (struct lease){0};
    questions_clear(session);
    store->gone_count++;
    /* A finished `run` is of no interest: it has served its purpose. */
    if (session->run && session->state == SESSION_CLOSED)
        drop_session(store, session);
    else
        limit_gone(store);
}

static void store_take_sessions(struct store *store, const struct gb_json *list)
{
    const struct gb_json *info = NULL;
    struct session *session;

    if (list == NULL)
        return;
    /* Those that are not in the list have ended meanwhile. */
    GB_LIST_FOREACH(session, &store->sessions, link)
        session->named = session_gone(session);
    JSON_FOREACH(info, list) {
        session = info->type == GB_JSON_OBJECT ? store_take_session(store, info) : NULL;
        if (session != NULL)
            session->named = true;
    }
    GB_LIST_FOREACH(session, &store->sessions, link)
        if (!session->named)
            drop_session(store, session);
    store->ready = true;
    store->change++;
}

void store_sessions(struct store *store, const struct gb_json *result)
{
    store_take_sessions(store, json_array(result, "sessions"));
}

/* ---- cells ---- */

static void read_last(struct last_cell *last, const struct gb_cell_info *info)
{
    json_copy_text(info->client, last->client, sizeof(last->client));
    json_copy_text(info->code, last->code, sizeof(last->code));
    last->started_at = read_seconds(info->started_at_ns);
}

static void start_cell(struct session *session, uint32_t number, const struct gb_cell_info *info)
{
    struct last_cell *last = &session->last;

    *last = (struct last_cell){.number = number, .running = true};
    session->cells = MAX(session->cells, last->number);
    read_last(last, info);
    session->last_active_at = MAX(session->last_active_at, last->started_at);
}

static bool cell_failed(const struct gb_cell_info *info)
{
    return gb_cell_failed(info->flags, info->exit_code, info->signal > 0);
}

static void finish_cell(struct session *session, uint32_t number, const struct gb_cell_info *info)
{
    struct last_cell *last = &session->last;

    last->number = number;
    last->running = last->waiting = false;
    session->cells = MAX(session->cells, last->number);
    json_copy_text(info->client, last->client, sizeof(last->client));
    if (info->code.size > 0)
        json_copy_text(info->code, last->code, sizeof(last->code));
    last->wall_ms = (double)info->wall_ns / GB_NS_PER_MS;
    last->stopped = (info->flags & (GB_CELL_INTERRUPTED | GB_CELL_TIMED_OUT)) != 0;
    last->failed = cell_failed(info);
    session->failures = last->failed ? session->failures + 1 : 0;
    if (!last->failed)
        session->same_failures = 0;
    session->seen = false;
}

/* ---- history ---- */

bool store_wants_history(struct session *session)
{
    /* We came after its last cell, or it fails repeatedly: is it the same failure? */
    bool missed = session->last.number < session->cells && !session->last.running;
    bool repeats = session->failures >= SAME_FAILURES;

    if (session_gone(session) || session->run || !(missed || repeats) ||
        session->looked_up == session->cells)
        return false;
    session->looked_up = session->cells;
    return true;
}

/* The last non-empty line: where every language puts the error. */
static struct gb_bytes last_line(struct gb_bytes text)
{
    size_t end = text.size, start;

    while (end > 0 && (text.data[end - 1] == '\n' || text.data[end - 1] == ' '))
        end--;
    start = end;
    while (start > 0 && text.data[start - 1] != '\n')
        start--;
    return (struct gb_bytes){text.data + start, end - start};
}

static bool same_bytes(struct gb_bytes a, struct gb_bytes b)
{
    return a.size == b.size && memcmp(a.data, b.data, a.size) == 0;
}

/* A cell from a history: @error is the last line of the previous failure. */
static void take_past_cell(struct session *session, const struct gb_cell_info *cell,
                           struct gb_bytes *error)
{
    struct last_cell *last = &session->last;
    bool is_text = (cell->flags & GB_CELL_ERR_BASE64) == 0;
    struct gb_bytes line = last_line(is_text ? cell->err : gb_bytes_str(""));

    if (cell->state != GB_CELL_DONE)
        return;
    if (!cell_failed(cell)) {
        session->failures = session->same_failures = 0;
    } else {
        session->failures++;
        session->same_failures =
            line.size > 0 && same_bytes(line, *error) ? session->same_failures + 1 : 1;
        *error = line;
    }
    if (last->running || last->number > cell->number)
        return;
    *last = (struct last_cell){.number = cell->number,
                               .wall_ms = (double)cell->wall_ns / GB_NS_PER_MS,
                               .failed = cell_failed(cell),
                               .stopped = (cell->flags & GB_CELL_INTERRUPTED) != 0};
    read_last(last, cell);
}

void store_history(struct store *store, const char *id, const struct gb_json *result)
{
    const struct gb_json *list = json_array(result, "cells"), *cell = NULL;
    struct session *session = store_find(store, id);
    struct gb_bytes error = {(const uint8_t *)"", 0};
    struct gb_cell_info told;

    if (session == NULL || list == NULL)
        return;
    session->failures = session->same_failures = 0;
    JSON_FOREACH(cell, list)
        if (store_read(store, &gb_cell_object, cell, &told))
            take_past_cell(session, &told, &error);
    store->change++;
}

/* ---- figures ---- */

/* How many times to add a sample taken at @at after those up to @last (0: none). A replayed sample
 * stands for all seconds since the previous one, so that a graph has a single scale; 0: it is known
 * already, from before the connection was lost. */
static int sample_times(double at, double last, bool replay)
{
    if (!replay)
        return 1;
    if (at <= last)
        return 0;
    return last > 0 ? (int)MAX(1.0, MIN(at - last + 0.5, (double)STORE_SAMPLES)) : 1;
}

static void sample_session(struct session *session, const struct gb_session_info *sample, double at,
                           bool replay)
{
    double cpu_ms = (double)sample->cpu_ns / GB_NS_PER_MS, seconds = at - session->sampled_at;
    int times = sample_times(at, session->sampled_at, replay);

    if (times == 0)
        return;
    if (sample->memory_bytes > 0)
        session->memory_bytes = sample->memory_bytes;
    /* With very many sessions a few are sampled at a time: each has its own interval. */
    if (session->sampled_at > 0 && cpu_ms >= session->cpu_ms && seconds > 0.1)
        session->cpu_share = (cpu_ms - session->cpu_ms) / 1000 / seconds;
    session->cpu_ms = cpu_ms;
    session->sampled_at = at;
    read_guest_memory(session, sample);
    for (; times > 0; times--) {
        samples_add(&session->memory, (double)session->memory_bytes);
        samples_add(&session->cpu, session->cpu_share);
    }
}

static void take_sample(struct store *store, const struct gb_event_info *event)
{
    const struct gb_json *list = event->samples, *item = NULL;
    double at = (double)event->at_ns / GB_NS_PER_S;
    bool replay = (event->flags & GB_EVENT_REPLAY) != 0;
    struct session *session;
    double memory = 0, cpu = 0;
    int times = sample_times(at, store->host.sampled_at, replay);

    read_host_event(&store->host, event->host);
    JSON_FOREACH(item, list) {
        struct gb_session_info told;

        if (!store_read(store, &gb_sample_object, item, &told))
            continue;
        session = find_bytes(store, told.id);
        if (session != NULL && !session_gone(session))
            sample_session(session, &told, at, replay);
    }
    GB_LIST_FOREACH(session, &store->sessions, link)
        if (!session_gone(session)) {
            memory += (double)session->memory_bytes;
            cpu += session->cpu_share;
        }
    for (; times > 0; times--) {
        samples_add(&store->host.memory, memory);
        samples_add(&store->host.cpu, cpu);
        store->host.sampled_at = at;
    }
}

void store_pools(struct store *store, const struct gb_json *result)
{
    struct gb_capacity_info told;

    if (!store_read(store, &gb_capacity_object, result, &told))
        return;
    read_admission(&store->host, &told.admission);
    store->pool_count = read_pools(store->pools, &told.pools);
    store->change++;
}

void store_hello(struct store *store, const struct gb_json *result)
{
    read_hello(&store->server, result);
    gb_languages_release(&store->languages);
    (void)gb_languages_read(json_member(result, "languages"), GB_LANGUAGE_OF_SERVER,
                            &store->languages, NULL);
    store->change++;
}

void store_stats(struct store *store, const struct gb_json *result)
{
    read_stats(&store->host, result);
    store->change++;
}

/* ---- events ---- */

/* For cells that run or wait when we connect. */
static void take_cell(struct store *store, const struct gb_json *cell)
{
    struct gb_cell_info told;
    struct session *session;

    if (!store_read(store, &gb_cell_object, cell, &told))
        return;
    session = find_bytes(store, told.session);
    if (session != NULL && told.state == GB_CELL_RUNNING && session->last.number <= told.number) {
        session->last = (struct last_cell){
            .number = told.number, .running = true, .waiting = (told.flags & GB_CELL_WAITING) != 0};
        read_last(&session->last, &told);
    }
}

/* A cell that was running and is not any more has ended meanwhile; the history will tell how. */
static void store_end_unseen(struct store *store, const struct gb_json *cells)
{
    const struct gb_json *cell = NULL;
    struct session *session;
    struct gb_cell_info told;

    GB_LIST_FOREACH(session, &store->sessions, link)
        session->named = false;
    JSON_FOREACH(cell, cells) {
        gb_object_take(&gb_cell_object, cell, &told);
        session = find_bytes(store, told.session);
        if (session != NULL)
            session->named = true;
    }
    GB_LIST_FOREACH(session, &store->sessions, link) {
        if (session->named || !session->last.running)
            continue;
        session->last = (struct last_cell){0};
        session->looked_up = 0;
    }
}

static void store_take_questions(struct store *store, const struct gb_json *list)
{
    const struct gb_json *item = NULL;
    struct gb_question_info told;
    struct session *session;

    /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): what was freed is in no list any more */
    GB_LIST_FOREACH(session, &store->sessions, link)
        questions_clear(session);
    JSON_FOREACH(item, list) {
        session = store_read(store, &gb_question_object, item, &told)
                      ? find_bytes(store, told.session)
                      : NULL;
        if (session != NULL)
            question_add(session, &told);
    }
}

static void store_take_snapshot(struct store *store, const struct gb_event_info *event)
{
    const struct gb_json *cells = event->cells, *cell = NULL;

    store_take_sessions(store, event->samples);
    store_take_questions(store, event->questions);
    read_host_event(&store->host, event->host);
    if (cells != NULL) {
        if (store->missed)
            store_end_unseen(store, cells);
        store->missed = false;
    }
    JSON_FOREACH(cell, cells)
        take_cell(store, cell);
    if (event->pool != NULL)
        store_pools(store, event->pool);
}

/* Invalid ones are ignored: the next event, or snapshot, has the current state. */
static void take_cell_event(struct store *store, struct session *session,
                            const struct gb_event_info *event)
{
    struct gb_cell_info told = {.exit_code = -1};

    if (event->info != NULL && !store_read(store, &gb_cell_object, event->info, &told))
        return;
    if (gb_bytes_equal(event->kind, "cell.started"))
        start_cell(session, event->cell, &told);
    else
        finish_cell(session, event->cell, &told);
}

static void take_question(struct store *store, struct session *session,
                          const struct gb_event_info *event)
{
    struct gb_question_info told;

    if (gb_bytes_equal(event->kind, "network.answered"))
        question_remove(session, event->question);
    else if (event->info != NULL && store_read(store, &gb_question_object, event->info, &told))
        question_add(session, &told);
}

static void take_event(struct store *store, const struct gb_event_info *event)
{
    const struct gb_bytes kind = event->kind;
    struct session *session = find_bytes(store, event->session);

    if (gb_bytes_equal(kind, "snapshot")) {
        store_take_snapshot(store, event);
    } else if (gb_bytes_equal(kind, "gap")) {
        store->missed = true;
    } else if (gb_bytes_equal(kind, "session.opened") || gb_bytes_equal(kind, "session.changed")) {
        if (event->info != NULL)
            (void)store_take_session(store, event->info);
    } else if (gb_bytes_equal(kind, "sample")) {
        take_sample(store, event);
    } else if (gb_bytes_equal(kind, "pool.changed")) {
        if (event->pool != NULL)
            store_pools(store, event->pool);
    } else if (session == NULL) {
        return;
    } else if (gb_bytes_equal(kind, "session.closed")) {
        end_session(store, session, event);
    } else if (gb_bytes_equal(kind, "cell.started") || gb_bytes_equal(kind, "cell.finished")) {
        take_cell_event(store, session, event);
    } else if (gb_bytes_equal(kind, "cell.waiting")) {
        session->last.waiting = (event->flags & GB_EVENT_WAITING) != 0;
    } else if (gb_bytes_equal(kind, "network.question") ||
               gb_bytes_equal(kind, "network.answered")) {
        take_question(store, session, event);
    } else if (gb_bytes_equal(kind, "network.changed")) {
        json_copy_text(event->network, session->network, sizeof(session->network));
    } else if (gb_bytes_equal(kind, "lease.changed")) {
        read_lease(store, &session->lease,
                   (event->flags & GB_EVENT_HAS_LEASE) != 0 ? &event->lease : NULL);
    }
}

bool store_notified(struct store *store, const char *method, const struct gb_json *params)
{
    struct gb_event_info told;
    struct store_event event = {.told = &told, .params = params};
    struct store_listener *listener;
    char name[64];

    if (strcmp(method, "event") != 0 || params == NULL)
        return false;
    if (!store_read(store, &gb_event_object, params, &told))
        return true;
    json_copy_text(told.kind, name, sizeof(name));
    event.kind = name;
    event.session = told.session;
    event.subscription = (int64_t)told.subscription;
    /* A view's own subscription is about one session, which is known already. */
    if (event.subscription == store->subscription)
        take_event(store, &told);
    GB_LIST_FOREACH(listener, &store->listeners, link)
        listener->call(listener->arg, &event);
    store->change++;
    return true;
}

/* ---- asking ---- */

bool session_has_network(const struct session *session)
{
    return session->network[0] != '\0' && strcmp(session->network, "none") != 0;
}

bool session_gone(const struct session *session)
{
    return session->state == SESSION_CLOSED || session->state == SESSION_LOST;
}

const char *session_title(const struct session *session)
{
    return session->label[0] != '\0' ? session->label
           : session->key[0] != '\0' ? session->key
                                     : session->id;
}

const char *session_host(const struct session *session)
{
    return session->store != NULL ? session->store->name : "";
}

const char *session_who(const struct session *session)
{
    return session->owner[0] != '\0' ? session->owner : session->client;
}

void session_owner_text(const struct session *session, char *text, size_t room)
{
    const bool both = session->owner[0] != '\0' && session->client[0] != '\0';

    (void)snprintf(text, room, "%s%s%s", session_who(session), both ? " by " : "",
                   both ? session->client : "");
}

enum session_state session_shown(const struct session *session)
{
    if (session->closing_ns != 0)
        return SESSION_CLOSING;
    if (session->offline && !session_gone(session))
        return SESSION_OFFLINE;
    return session->state == SESSION_IDLE && session->last.failed ? SESSION_FAILED : session->state;
}

const char *session_state_word(const struct session *session)
{
    return states[session_shown(session)].word;
}

/* The server's name for it. */
static const char *state_name(enum session_state state)
{
    return state >= SESSION_FAILED ? states[state].word
                                   : gb_session_state_to_string((enum gb_session_state)state);
}

bool session_state_is(const struct session *session, const char *word)
{
    enum session_state state = session_shown(session);

    return word[0] != '\0' && (strncmp(states[state].word, word, strlen(word)) == 0 ||
                               strcmp(state_name(state), word) == 0);
}

const char *state_word(enum gb_session_state state, bool failed)
{
    return states[state == GB_SESSION_IDLE && failed ? SESSION_FAILED : (enum session_state)state]
        .word;
}

const char *session_state_sign(const struct session *session)
{
    return states[session_shown(session)].sign;
}

int session_state_role(const struct session *session)
{
    return (int)states[session_shown(session)].role;
}

enum attention session_trouble(const struct session *session, double now)
{
    if (session->offline) /* nothing can be done about it */
        return ATTENTION_NONE;
    if (session->question != NULL)
        return ATTENTION_CONNECTION;
    if (session->state == SESSION_WAITING || (!session_gone(session) && session->last.waiting))
        return ATTENTION_INPUT;
    if (session->state == SESSION_LOST)
        return ATTENTION_LOST;
    if (session_gone(session))
        return ATTENTION_NONE;
    if (session->same_failures >= SAME_FAILURES)
        return ATTENTION_REPEAT;
    if (session->last.failed)
        return ATTENTION_FAILED;
    if (session->guest_total > 0 &&
        (double)session->guest_used > NEAR_MEMORY * (double)session->guest_total)
        return ATTENTION_LIMIT;
    if (session->expires_at > 0 && session->expires_at - now < NEAR_END_S)
        return ATTENTION_LIMIT;
    return ATTENTION_NONE;
}

enum attention session_attention(const struct session *session, double now)
{
    enum attention trouble = session_trouble(session, now);

    return session->seen && trouble > ATTENTION_INPUT ? ATTENTION_NONE : trouble;
}

const char *attention_text(enum attention attention)
{
    static const char *const texts[] = {
        [ATTENTION_CONNECTION] = "asks to connect",
        [ATTENTION_INPUT] = "waits for input",
        [ATTENTION_LOST] = "is lost",
        [ATTENTION_REPEAT] = "fails again and again in the same way",
        [ATTENTION_FAILED] = "failed",
        [ATTENTION_LIMIT] = "is near a limit",
        [ATTENTION_NONE] = "",
    };
    static_assert(ARRAY_SIZE(texts) == ATTENTION_COUNT, "a text for each");

    return texts[attention];
}

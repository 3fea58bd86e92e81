/* SPDX-License-Identifier: Apache-2.0 */
/* What a session may reach, and who may reach it. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/network.h"
#include "model/words.h"
#include "rpc/object.h"

int api_put_policy(struct gb_json_out *out, const char *network, const char *const *rules,
                   struct gb_err *err)
{
    if (network != NULL && rules != NULL)
        return gb_err_set(err, GB_EINVALID, "a network has a name or rules, and not both");
    if (network != NULL)
        gb_json_put_str(out, "network", network);
    if (rules == NULL)
        return 0;
    gb_json_object(out, "network");
    api_put_strings(out, "rules", rules);
    gb_json_end(out);
    return 0;
}

struct glassbell_question api_question(const struct gb_question_info *info, struct api_texts *texts)
{
    return (struct glassbell_question){
        .number = info->question,
        .name = api_text(texts, info->name),
        .address = api_text(texts, info->address),
        .port = (uint16_t)info->port,
        .cell = info->cell,
        .connections = info->connections,
        .at = (double)info->at_ns / 1e9,
        .until = (double)info->until_ns / 1e9,
    };
}

/* ---- the state ---- */

static struct glassbell_port net_port(const struct gb_port_info *info, struct api_texts *texts)
{
    return (struct glassbell_port){.port = (uint16_t)info->port,
                                   .address = api_text(texts, info->address),
                                   .open = info->open,
                                   .opened = info->opened,
                                   .received = info->received,
                                   .sent = info->sent};
}

/* What a struct glassbell_network borrows. */
struct net_lists {
    struct glassbell_question *questions;
    struct glassbell_port *ports;
    uint16_t *listening;
    struct api_texts texts;
};

static void net_take_lists(struct net_lists *to, const struct gb_network_info *info,
                           struct glassbell_network *network)
{
    const size_t questions = gb_items_count(&info->questions), ports = gb_items_count(&info->ports);
    const size_t listening = gb_items_count(&info->listening);
    struct gb_question_info question;
    struct gb_port_info port;
    struct gb_listening_info listener;
    size_t at = 0;

    to->questions = xcalloc(questions, sizeof(*to->questions));
    to->ports = xcalloc(ports, sizeof(*to->ports));
    to->listening = xcalloc(listening, sizeof(*to->listening));
    while (network->question_count < questions &&
           gb_items_next(&gb_question_object, &info->questions, &at, &question) > 0)
        to->questions[network->question_count++] = api_question(&question, &to->texts);
    at = 0;
    while (network->port_count < ports &&
           gb_items_next(&gb_port_object, &info->ports, &at, &port) > 0)
        to->ports[network->port_count++] = net_port(&port, &to->texts);
    at = 0;
    while (network->listening_count < listening &&
           gb_items_next(&gb_listening_object, &info->listening, &at, &listener) > 0)
        to->listening[network->listening_count++] = (uint16_t)listener.port;
    network->questions = to->questions;
    network->ports = to->ports;
    network->listening = to->listening;
}

static const char *net_text(struct api_texts *texts, struct gb_bytes text)
{
    return text.data != NULL ? api_text(texts, text) : "";
}

static void net_read_state(struct api_call *call, const struct gb_json *result,
                           const struct glassbell_error *error)
{
    glassbell_network_fn *done = (glassbell_network_fn *)call->done;
    struct gb_network_info info;
    struct glassbell_network network;
    struct net_lists lists = {0};

    if (error != NULL) {
        done(call->arg, NULL, error);
        return;
    }
    gb_object_take(&gb_network_object, result, &info);
    api_texts_init(&lists.texts);
    network = (struct glassbell_network){
        .name = net_text(&lists.texts, info.network),
        .rules = net_text(&lists.texts, info.rules),
        .secrets = net_text(&lists.texts, info.secrets),
        .open = info.open,
        .opened = info.opened,
        .denied = info.denied,
        .received = info.received,
        .sent = info.sent,
    };
    net_take_lists(&lists, &info, &network);
    done(call->arg, &network, NULL);
    free(lists.questions);
    free(lists.ports);
    free(lists.listening);
    api_texts_release(&lists.texts);
}

void glassbell_session_network(struct glassbell_session *session, glassbell_network_fn *done,
                               void *arg)
{
    struct gb_json_out out;
    struct gb_buf params;

    api_begin(&out, &params, session);
    api_call(session, "session.network", &out, net_read_state, (api_any_fn *)done, arg);
}

void glassbell_session_network_set(struct glassbell_session *session, const char *network,
                                   const char *const *rules, glassbell_network_fn *done, void *arg)
{
    struct gb_err err = {0};
    struct gb_json_out out;
    struct gb_buf params;

    api_begin(&out, &params, session);
    if (api_put_policy(&out, network == NULL && rules == NULL ? "none" : network, rules, &err) ==
        0) {
        api_call(session, "session.network", &out, net_read_state, (api_any_fn *)done, arg);
        return;
    }
    gb_buf_release(&params);
    api_fail(session, &err, net_read_state, (api_any_fn *)done, arg);
}

static void net_insert(struct glassbell_session *session, const char *verb, const char *what,
                       glassbell_network_fn *done, void *arg)
{
    _cleanup_(freep) char *rule = xasprintf("%s %s", verb, what);
    const char *const rules[] = {rule, NULL};
    struct gb_json_out out;
    struct gb_buf params;

    api_begin(&out, &params, session);
    api_put_strings(&out, "rules", rules);
    api_call(session, "session.network", &out, net_read_state, (api_any_fn *)done, arg);
}

void glassbell_session_allow(struct glassbell_session *session, const char *what,
                             glassbell_network_fn *done, void *arg)
{
    net_insert(session, "allow", what, done, arg);
}

void glassbell_session_deny(struct glassbell_session *session, const char *what,
                            glassbell_network_fn *done, void *arg)
{
    net_insert(session, "deny", what, done, arg);
}

void glassbell_session_answer(struct glassbell_session *session, uint64_t question,
                              enum glassbell_answer answer, glassbell_done_fn *done, void *arg)
{
    static const char *const answers[] = {"once", "session", "refuse", "never", "always"};
    const struct gb_err wrong = {.code = GB_EINVALID, .message = "there is no such answer"};
    struct gb_json_out out;
    struct gb_buf params;

    if ((size_t)answer >= ARRAY_SIZE(answers)) {
        api_fail(session, &wrong, api_read_done, (api_any_fn *)done, arg);
        return;
    }
    api_begin(&out, &params, session);
    gb_json_put_u64(&out, "question", question);
    gb_json_put_str(&out, "answer", answers[answer]);
    api_call(session, "session.network_answer", &out, api_read_done, (api_any_fn *)done, arg);
}

/* ---- ports ---- */

static void net_read_port(struct api_call *call, const struct gb_json *result,
                          const struct glassbell_error *error)
{
    glassbell_port_fn *done = (glassbell_port_fn *)call->done;
    struct gb_port_info info;
    struct glassbell_port port;
    struct api_texts texts;

    if (error != NULL) {
        done(call->arg, NULL, error);
        return;
    }
    gb_object_take(&gb_port_object, result, &info);
    api_texts_init(&texts);
    port = net_port(&info, &texts);
    done(call->arg, &port, NULL);
    api_texts_release(&texts);
}

void glassbell_session_port_open(struct glassbell_session *session, uint16_t port,
                                 const char *address, glassbell_port_fn *done, void *arg)
{
    struct gb_json_out out;
    struct gb_buf params;

    api_begin(&out, &params, session);
    gb_json_put_u64(&out, "port", port);
    if (address != NULL)
        gb_json_put_str(&out, address[0] == '/' ? "unix" : "address", address);
    api_call(session, "session.port_open", &out, net_read_port, (api_any_fn *)done, arg);
}

void glassbell_session_port_close(struct glassbell_session *session, uint16_t port,
                                  const char *address, glassbell_done_fn *done, void *arg)
{
    struct gb_json_out out;
    struct gb_buf params;

    api_begin(&out, &params, session);
    gb_json_put_u64(&out, "port", port);
    if (address != NULL)
        gb_json_put_str(&out, "address", address);
    api_call(session, "session.port_close", &out, api_read_done, (api_any_fn *)done, arg);
}

/* ---- records ---- */

static struct glassbell_record net_record(const struct gb_network_record *record,
                                          struct api_texts *texts)
{
    return (struct glassbell_record){
        .number = record->number,
        .at = (double)record->at_ns / 1e9,
        .kind = gb_network_entry_to_string((enum gb_network_entry)record->kind),
        .cell = record->cell,
        .connection = record->connection,
        .name = api_text(texts, record->name),
        .address = api_text(texts, record->address),
        .port = (uint16_t)record->port,
        .rule = api_text(texts, record->rule),
        .reason = api_text(texts, record->reason),
        .client = api_text(texts, record->client),
        .received = record->received,
        .sent = record->sent,
        .took_ms = (double)record->duration_ns / 1e6,
    };
}

static void net_read_records(struct api_call *call, const struct gb_json *result,
                             const struct glassbell_error *error)
{
    glassbell_records_fn *done = (glassbell_records_fn *)call->done;
    struct gb_network_log_info info;
    struct gb_network_record record;
    struct glassbell_record *records;
    struct api_texts texts;
    size_t most, count = 0, at = 0;

    if (error != NULL) {
        done(call->arg, NULL, 0, error);
        return;
    }
    gb_object_take(&gb_network_log_object, result, &info);
    api_texts_init(&texts);
    most = gb_items_count(&info.records);
    records = xcalloc(most, sizeof(*records));
    while (count < most &&
           gb_items_next(&gb_network_record_object, &info.records, &at, &record) > 0)
        records[count++] = net_record(&record, &texts);
    done(call->arg, records, count, NULL);
    free(records);
    api_texts_release(&texts);
}

void glassbell_session_records(struct glassbell_session *session, uint64_t after, uint32_t limit,
                               glassbell_records_fn *done, void *arg)
{
    struct gb_json_out out;
    struct gb_buf params;

    api_begin(&out, &params, session);
    gb_json_put_u64(&out, "after", after);
    gb_json_put_u64(&out, "limit", limit);
    api_call(session, "session.network_log", &out, net_read_records, (api_any_fn *)done, arg);
}

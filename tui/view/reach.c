/* SPDX-License-Identifier: Apache-2.0 */
#include "view/reach.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "model/answer.h"
#include "rpc/access.h"
#include "rpc/object.h"
#include "store/question.h"

/* ---- records ---- */

static char *reach_text(struct gb_bytes text)
{
    return text.size > 0 ? xstrndup((const char *)text.data, MIN(text.size, (size_t)REACH_TEXT_MAX))
                         : NULL;
}

static void reach_clear(struct reach_record *record)
{
    free(record->name);
    free(record->address);
    free(record->rule);
    free(record->reason);
    free(record->client);
    *record = (struct reach_record){0};
}

static void reach_read(const struct gb_network_record *told, struct reach_record *record)
{
    *record = (struct reach_record){
        .number = told->number,
        .connection = told->connection,
        .kind = told->kind,
        .cell = told->cell,
        .port = told->port,
        .line = told->line,
        .received = told->received,
        .sent = told->sent,
        .left_out = told->left_out,
        .at = (double)told->at_ns / (double)GB_NS_PER_S,
        .ms = (double)told->duration_ns / 1e6,
        .name = reach_text(told->name),
        .address = reach_text(told->address),
        .rule = reach_text(told->rule),
        .reason = reach_text(told->reason),
        .client = reach_text(told->client),
    };
}

/* A tenth at a time, so that few are moved. */
static void reach_make_room(struct reach *reach)
{
    const size_t drop = REACH_RECORDS_MAX / 10;

    if (reach->count == REACH_RECORDS_MAX) {
        for (size_t i = 0; i < drop; i++)
            reach_clear(&reach->records[i]);
        reach->count -= drop;
        memmove(reach->records, reach->records + drop, reach->count * sizeof(*reach->records));
        reach->dropped = true;
    }
    if (reach->count < reach->capacity)
        return;
    reach->capacity = MAX(reach->capacity * 2, 32u);
    reach->records = realloc(reach->records, reach->capacity * sizeof(*reach->records));
    if (reach->records == NULL)
        abort(); /* at most some hundred kilobytes */
}

static void reach_close(struct reach *reach, uint64_t connection)
{
    for (size_t i = 0; i < reach->open_count; i++)
        if (reach->open[i].connection == connection) {
            reach_clear(&reach->open[i]);
            reach->open[i] = reach->open[--reach->open_count];
            reach->open[reach->open_count] = (struct reach_record){0};
            return;
        }
}

bool reach_take_log(struct reach *reach, const struct gb_json *result)
{
    struct gb_network_log_info log;
    struct gb_network_record told;
    const uint64_t before = reach->after;

    gb_object_take(&gb_network_log_object, result, &log);
    for (size_t at = 0; gb_items_next(&gb_network_record_object, &log.records, &at, &told) == 1;) {
        if (told.number <= reach->after)
            continue;
        reach->after = told.number;
        if (told.kind == GB_NETWORK_CONNECTION)
            reach_close(reach, told.connection);
        reach_make_room(reach);
        reach_read(&told, &reach->records[reach->count++]);
    }
    return (log.flags & GB_PAGE_MORE) != 0 && reach->after > before;
}

/* ---- what is open ---- */

void reach_forget_open(struct reach *reach)
{
    while (reach->open_count > 0)
        reach_clear(&reach->open[--reach->open_count]);
}

void reach_event(struct reach *reach, const char *kind, const struct gb_json *params)
{
    const uint64_t connection = json_count(params, "connection");
    struct reach_record *record = &reach->open[reach->open_count];

    if (strcmp(kind, "network.closed") == 0)
        reach_close(reach, connection);
    if (strcmp(kind, "snapshot") == 0) /* events were left out, perhaps those of the ends */
        reach_forget_open(reach);
    if (strcmp(kind, "network.open") != 0 || reach->open_count == REACH_OPEN_MAX)
        return;
    *record = (struct reach_record){
        .number = connection,
        .connection = connection,
        .kind = GB_NETWORK_CONNECTION,
        .cell = (uint32_t)json_count(params, "cell"),
        .port = (uint32_t)json_count(params, "port"),
        .line = (uint32_t)json_count(params, "rule"),
        .at = json_time(params, "at"),
        .name = reach_text(json_text(params, "name")),
        .address = reach_text(json_text(params, "address")),
    };
    reach->open_count++;
}

/* ---- ports ---- */

static int reach_by_port(const void *a, const void *b)
{
    const struct reach_port *left = a, *right = b;

    return left->port < right->port ? -1 : left->port > right->port;
}

/* NULL: too many. */
static struct reach_port *reach_add_port(struct reach *reach, uint32_t port)
{
    for (size_t i = 0; i < reach->port_count; i++)
        if (reach->ports[i].port == port)
            return &reach->ports[i];
    if (reach->port_count == REACH_PORTS_MAX)
        return NULL;
    reach->ports[reach->port_count] = (struct reach_port){.port = port};
    return &reach->ports[reach->port_count++];
}

static void reach_clear_ports(struct reach *reach)
{
    while (reach->port_count > 0)
        free(reach->ports[--reach->port_count].address);
}

void reach_take_state(struct reach *reach, const struct gb_json *result)
{
    struct gb_network_info info;
    struct gb_listening_info listening;
    struct gb_port_info told;
    struct reach_port *port;

    gb_object_take(&gb_network_object, result, &info);
    json_copy_text(info.network, reach->network, sizeof(reach->network));
    json_copy_text(info.secrets, reach->secrets, sizeof(reach->secrets));
    reach->now_open = info.open;
    reach->opened = info.opened;
    reach->denied = info.denied;
    reach->received = info.received;
    reach->sent = info.sent;
    reach_clear_ports(reach);
    for (size_t at = 0; gb_items_next(&gb_port_object, &info.ports, &at, &told) == 1;) {
        port = reach_add_port(reach, told.port);
        if (port == NULL || port->address != NULL)
            continue;
        port->address = reach_text(told.address);
        port->open = told.open;
        port->opened = told.opened;
        port->received = told.received;
        port->sent = told.sent;
    }
    for (size_t at = 0;
         gb_items_next(&gb_listening_object, &info.listening, &at, &listening) == 1;) {
        port = reach_add_port(reach, listening.port);
        if (port != NULL)
            port->listening = true;
    }
    qsort(reach->ports, reach->port_count, sizeof(reach->ports[0]), reach_by_port);
}

void reach_release(struct reach *reach)
{
    reach_forget_open(reach);
    reach_clear_ports(reach);
    while (reach->count > 0)
        reach_clear(&reach->records[--reach->count]);
    free(reach->records);
    reach->records = NULL;
    reach->capacity = 0;
}

/* ---- rows ---- */

size_t reach_rows(const struct reach *reach, const struct question *questions)
{
    size_t rows = reach->port_count + reach->open_count + reach->count;

    for (; questions != NULL; questions = questions->next)
        rows++;
    return rows;
}

void reach_row(const struct reach *reach, const struct question *questions, size_t index,
               struct reach_item *ret_item)
{
    for (; questions != NULL && index > 0; questions = questions->next)
        index--;
    if (questions != NULL) {
        *ret_item = (struct reach_item){.kind = REACH_QUESTION, .question = questions};
        return;
    }
    if (index < reach->port_count) {
        *ret_item = (struct reach_item){.kind = REACH_PORT, .port = &reach->ports[index]};
        return;
    }
    index -= reach->port_count;
    if (index < reach->open_count)
        *ret_item = (struct reach_item){.kind = REACH_OPEN,
                                        .record = &reach->open[reach->open_count - 1 - index]};
    else
        *ret_item = (struct reach_item){
            .kind = REACH_RECORD,
            .record = &reach->records[reach->count - 1 - (index - reach->open_count)]};
}

uint64_t reach_id(const struct reach_item *item)
{
    return item->kind == REACH_QUESTION ? item->question->number
           : item->kind == REACH_PORT   ? item->port->port
                                        : item->record->number;
}

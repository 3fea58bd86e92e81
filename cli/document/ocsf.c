/* SPDX-License-Identifier: Apache-2.0 */
/* Connections as events of the Open Cybersecurity Schema Framework, version 1.1.0: Network Activity
 * (class 4001) and, for requests that were inspected, HTTP Activity (4002), a line each. What a
 * client decided is no activity of the network, and is left out. */
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "document/internal.h"

enum {
    OCSF_CATEGORY = 4,
    OCSF_NETWORK = 4001,
    OCSF_HTTP = 4002,
    OCSF_TYPES = 100, /* of a class: type_uid = class_uid * 100 + activity_id */
    OCSF_OTHER = 99,
    OCSF_TCP = 6,
};

enum ocsf_activity { OCSF_CLOSE = 2, OCSF_RESET, OCSF_FAIL, OCSF_REFUSE };

/* The values of direction_id, status_id, severity_id, and of action_id, which disposition_id (1
 * Allowed, 2 Blocked) has in common with it. */
enum { OCSF_INBOUND = 1, OCSF_OUTBOUND };
enum { OCSF_SUCCESS = 1, OCSF_FAILURE };
enum { OCSF_INFORMATIONAL = 1, OCSF_LOW };
enum { OCSF_ALLOWED = 1, OCSF_DENIED };

/* The outcome of a record's connection or request. */
struct ocsf_event {
    const struct gb_network_record *record;
    unsigned class, activity;
    bool failed, denied, is_inbound;
};

/* Whether the network was at fault, or the guest or the session ended it: no rule was against it.
 */
static bool ocsf_is_failure(struct gb_bytes reason)
{
    static const char *const reasons[] = {
        "refused",         "unreachable",   "timed_out",      "no_address",         "reset",
        "abandoned",       "session_ended", "session_asleep", "session_rewound",    "port_closed",
        "bad_certificate", "bad_answer",    "no_secret",      "guest_network_ended"};

    for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
        if (gb_bytes_equal(reason, reasons[i]))
            return true;
    return false;
}

static unsigned ocsf_method(struct gb_bytes method)
{
    static const char *const methods[] = {"CONNECT", "DELETE", "GET", "HEAD",
                                          "OPTIONS", "POST",   "PUT", "TRACE"};

    for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
        if (gb_bytes_equal(method, methods[i]))
            return (unsigned)i + 1;
    return OCSF_OTHER;
}

static struct gb_bytes ocsf_word(struct gb_bytes *text)
{
    const uint8_t *space = text->size == 0 ? NULL : memchr(text->data, ' ', text->size);
    const size_t size = space == NULL ? text->size : (size_t)(space - text->data);
    const struct gb_bytes word = {text->data, size};
    const size_t taken = size + (space == NULL ? 0 : 1);

    if (taken > 0)
        text->data += taken;
    text->size -= taken;
    return word;
}

/* ---- parts of an event ---- */

static void ocsf_put_session(const struct document *document, struct gb_json_out *out)
{
    gb_json_put_str(out, "instance_uid", document->session);
    if (document->title[0] != '\0')
        gb_json_put_str(out, "name", document->title);
}

static void ocsf_put_ends(const struct document *document, const struct ocsf_event *event,
                          struct gb_json_out *out)
{
    const struct gb_network_record *record = event->record;

    gb_json_object(out, event->is_inbound ? "dst_endpoint" : "src_endpoint");
    ocsf_put_session(document, out);
    if (event->is_inbound)
        gb_json_put_u64(out, "port", record->port);
    gb_json_end(out);
    if (event->is_inbound)
        return; /* a client of this host: who it was is not known */
    gb_json_object(out, "dst_endpoint");
    if (record->name.data != NULL)
        gb_json_put(out, "hostname", record->name);
    if (record->address.data != NULL)
        gb_json_put(out, "ip", record->address);
    if (record->port > 0)
        gb_json_put_u64(out, "port", record->port);
    gb_json_end(out);
}

static void ocsf_put_connection(const struct document *document, const struct ocsf_event *event,
                                struct gb_json_out *out)
{
    _cleanup_(freep) char *uid =
        xasprintf("%s/%llu", document->session, (unsigned long long)event->record->connection);

    gb_json_object(out, "connection_info");
    gb_json_put_u64(out, "direction_id", event->is_inbound ? OCSF_INBOUND : OCSF_OUTBOUND);
    gb_json_put_str(out, "protocol_name", "tcp");
    gb_json_put_u64(out, "protocol_num", OCSF_TCP);
    if (event->record->connection > 0)
        gb_json_put_str(out, "uid", uid);
    gb_json_end(out);
}

/* `in` is what the destination has sent. */
static void ocsf_put_traffic(const struct ocsf_event *event, struct gb_json_out *out)
{
    const struct gb_network_record *record = event->record;

    gb_json_object(out, "traffic");
    gb_json_put_u64(out, "bytes_in", event->is_inbound ? record->sent : record->received);
    gb_json_put_u64(out, "bytes_out", event->is_inbound ? record->received : record->sent);
    gb_json_put_u64(out, "bytes", record->sent + record->received);
    gb_json_end(out);
}

/* The text of a request's record is `METHOD PATH [STATUS] [SECRETS]`. */
static void ocsf_put_request(const struct ocsf_event *event, struct gb_json_out *out)
{
    const struct gb_network_record *record = event->record;
    struct gb_bytes text = record->rule;
    const struct gb_bytes method = ocsf_word(&text), path = ocsf_word(&text);
    uint64_t status = 0;

    for (size_t i = 0; i < text.size && i < 3 && text.data[i] >= '0' && text.data[i] <= '9'; i++)
        status = status * 10 + (uint64_t)(text.data[i] - '0');
    gb_json_object(out, "http_request");
    gb_json_put(out, "http_method", method);
    gb_json_object(out, "url");
    gb_json_put_str(out, "scheme", "https");
    gb_json_put(out, "hostname", record->name);
    gb_json_put_u64(out, "port", record->port);
    gb_json_put(out, "path", path);
    gb_json_end(out);
    gb_json_end(out);
    if (status == 0)
        return;
    gb_json_object(out, "http_response");
    gb_json_put_u64(out, "code", status);
    gb_json_end(out);
}

static void ocsf_put_metadata(const struct document *document, const struct ocsf_event *event,
                              struct gb_json_out *out)
{
    gb_json_object(out, "metadata");
    gb_json_put_str(out, "version", "1.1.0");
    gb_json_object(out, "product");
    gb_json_put_str(out, "name", "Glassbell");
    gb_json_put_str(out, "vendor_name", "Glassbell");
    gb_json_put_str(out, "version", GB_VERSION);
    gb_json_end(out);
    gb_json_array(out, "profiles");
    gb_json_put_str(out, NULL, "security_control");
    gb_json_end(out);
    gb_json_put_u64(out, "sequence", event->record->number);
    gb_json_put_str(out, "correlation_uid", document->session);
    gb_json_end(out);
}

static void ocsf_put_verdict(const struct ocsf_event *event, struct gb_json_out *out)
{
    const struct gb_network_record *record = event->record;

    gb_json_put_u64(out, "action_id", event->denied ? OCSF_DENIED : OCSF_ALLOWED);
    gb_json_put_u64(out, "disposition_id", event->denied ? OCSF_DENIED : OCSF_ALLOWED);
    gb_json_put_u64(out, "status_id", event->failed ? OCSF_FAILURE : OCSF_SUCCESS);
    if (record->reason.data != NULL)
        gb_json_put(out, "status_detail", record->reason);
    if (event->class == OCSF_HTTP || record->rule.data == NULL)
        return;
    gb_json_object(out, "firewall_rule");
    gb_json_put(out, "name", record->rule);
    gb_json_end(out);
}

static void ocsf_put_event(const struct document *document, const struct ocsf_event *event,
                           struct gb_json_out *out)
{
    const struct gb_network_record *record = event->record;
    const uint64_t end_ms = record->at_ns / GB_NS_PER_MS;
    const uint64_t duration_ms = record->duration_ns / GB_NS_PER_MS;

    gb_json_put_u64(out, "category_uid", OCSF_CATEGORY);
    gb_json_put_u64(out, "class_uid", event->class);
    gb_json_put_u64(out, "activity_id", event->activity);
    gb_json_put_u64(out, "type_uid", (uint64_t)event->class * OCSF_TYPES + event->activity);
    gb_json_put_u64(out, "severity_id", event->denied ? OCSF_LOW : OCSF_INFORMATIONAL);
    gb_json_put_u64(out, "time", end_ms);
    if (record->kind == GB_NETWORK_CONNECTION || record->kind == GB_NETWORK_VISIT) {
        gb_json_put_u64(out, "start_time", end_ms - MIN(end_ms, duration_ms));
        gb_json_put_u64(out, "end_time", end_ms);
        gb_json_put_u64(out, "duration", duration_ms);
    }
    ocsf_put_verdict(event, out);
    ocsf_put_metadata(document, event, out);
    ocsf_put_ends(document, event, out);
    if (record->port > 0)
        ocsf_put_connection(document, event, out);
    if (record->kind == GB_NETWORK_CONNECTION || record->kind == GB_NETWORK_VISIT)
        ocsf_put_traffic(event, out);
    if (event->class == OCSF_HTTP)
        ocsf_put_request(event, out);
    gb_json_object(out, "unmapped");
    if (record->cell > 0)
        gb_json_put_u64(out, "cell", record->cell);
    if (record->left_out > 0)
        gb_json_put_u64(out, "left_out", record->left_out);
    gb_json_end(out);
}

/* False: the record is of something else. */
static bool ocsf_read(const struct gb_network_record *record, struct ocsf_event *ret_event)
{
    struct gb_bytes text = record->rule;
    struct ocsf_event event = {.record = record,
                               .class = OCSF_NETWORK,
                               .failed = record->reason.data != NULL,
                               .is_inbound = record->kind == GB_NETWORK_VISIT};

    event.denied = event.failed && !ocsf_is_failure(record->reason);
    switch (record->kind) {
    case GB_NETWORK_CONNECTION:
    case GB_NETWORK_VISIT:
        event.activity = event.failed ? OCSF_RESET : OCSF_CLOSE;
        break;
    case GB_NETWORK_DENIED:
        event.activity =
            event.denied || gb_bytes_equal(record->reason, "refused") ? OCSF_REFUSE : OCSF_FAIL;
        break;
    case GB_NETWORK_REQUEST:
        event.class = OCSF_HTTP;
        event.activity = ocsf_method(ocsf_word(&text));
        break;
    default:
        return false;
    }
    *ret_event = event;
    return true;
}

void ocsf_network(struct document *document, const struct gb_network_record *record)
{
    struct gb_json_out out = {.buf = document->out};
    struct ocsf_event event;

    if (!ocsf_read(record, &event))
        return;
    gb_json_object(&out, NULL);
    ocsf_put_event(document, &event, &out);
    gb_json_end(&out);
    gb_buf_adds(document->out, "\n");
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "report.h"

#include <stdio.h>
#include <string.h>

#include "base/allowance.h"
#include "base/clock.h"
#include "base/mem.h"
#include "server/core/event.h"
#include "server/core/state.h"
#include "server/network/state.h"

/* ---- the journal ---- */

static bool report_may_record(struct network_audit *audit)
{
    /* A guest can connect faster than anybody reads, and its records must not displace the cells of
     * other sessions from the journal. */
    static const struct gb_allowance_rate rate = {1000, 1000 * GB_NS_PER_MS};

    return gb_allowance_take(&audit->allowance, &rate, gb_clock_mono_ns());
}

void report_record(struct hosted *hosted, struct gb_network_record record)
{
    struct network_audit *audit = &network_state(hosted)->audit;

    if (!report_may_record(audit)) {
        audit->left_out++;
        return;
    }
    record.left_out = audit->left_out;
    audit->left_out = 0;
    PART_CALL(hosted->server, record_network, hosted, &record);
}

static void report_news(struct hosted *hosted, enum gb_network_entry kind,
                        const struct gb_net_news *news)
{
    report_record(hosted, (struct gb_network_record){.kind = (uint8_t)kind,
                                                     .cell = news->cell,
                                                     .connection = news->number,
                                                     .port = news->port,
                                                     .line = news->line,
                                                     .received = news->received,
                                                     .sent = news->sent,
                                                     .duration_ns = news->duration_ns,
                                                     .name = gb_bytes_str(news->name),
                                                     .address = gb_bytes_str(news->address),
                                                     .rule = gb_bytes_str(news->rule),
                                                     .reason = gb_bytes_str(news->reason)});
}

void report_policy(struct hosted *hosted, const char *client)
{
    const struct network_session *state = network_state(hosted);
    _cleanup_(gb_buf_release) struct gb_buf rules = {0};
    struct event event;

    if (state->on && state->net != NULL)
        gb_policy_write(gb_net_policy(state->net), &rules);
    report_record(hosted, (struct gb_network_record){
                              .kind = GB_NETWORK_POLICY,
                              .cell = state->cell,
                              .name = gb_bytes_str(state->on ? state->name : "none"),
                              .rule = gb_buf_bytes(&rules),
                              .client = gb_bytes_str(client),
                          });
    if (!event_begin(&event, hosted->server, "network.changed", hosted))
        return;
    gb_json_put_str(&event.out, "network", state->on ? state->name : "none");
    gb_json_put_str(&event.out, "client", client);
    event_end(&event);
}

void report_end(struct hosted *hosted)
{
    struct network_session *state = network_state(hosted);
    const struct gb_net_figures figures = gb_net_figures(state->net);
    const struct gb_network_record record = {.kind = GB_NETWORK_END,
                                             .received = figures.received,
                                             .sent = figures.sent,
                                             .left_out = state->audit.left_out};

    PART_CALL(hosted->server, record_network, hosted, &record);
}

/* ---- events ---- */

/* `name` or `address`, `port`, `rule`, `reason`. */
static bool report_begin_event(struct event *event, struct hosted *hosted, const char *kind,
                               const struct gb_net_news *news)
{
    if (!event_begin(event, hosted->server, kind, hosted))
        return false;
    if (news->cell > 0)
        gb_json_put_u64(&event->out, "cell", news->cell);
    if (news->number > 0)
        gb_json_put_u64(&event->out, "connection", news->number);
    gb_json_put_str(&event->out, "name", news->name);
    gb_json_put_str(&event->out, "address", news->address);
    if (news->port > 0)
        gb_json_put_u64(&event->out, "port", news->port);
    if (news->line > 0)
        gb_json_put_u64(&event->out, "rule", news->line);
    if (news->reason != NULL)
        gb_json_put_str(&event->out, "reason", news->reason);
    return true;
}

void report_opened(void *arg, const struct gb_net_news *news)
{
    struct event event;

    if (report_begin_event(&event, arg, "network.open", news))
        event_end(&event);
}

/* The end of a connection, in either direction. */
static void report_finished(struct hosted *hosted, enum gb_network_entry entry, const char *kind,
                            const struct gb_net_news *news)
{
    struct event event;

    report_news(hosted, entry, news);
    if (!report_begin_event(&event, hosted, kind, news))
        return;
    gb_json_put_u64(&event.out, "received", news->received);
    gb_json_put_u64(&event.out, "sent", news->sent);
    gb_json_put_ms(&event.out, "ms", news->duration_ns);
    event_end(&event);
}

void report_closed(void *arg, const struct gb_net_news *news)
{
    report_finished(arg, GB_NETWORK_CONNECTION, "network.closed", news);
}

void report_visited(void *arg, const struct gb_net_news *news)
{
    report_finished(arg, GB_NETWORK_VISIT, "network.visit", news);
}

/* For the reply to the cell, so that its reader learns why a connection failed. */
static void report_remember(struct network_session *state, const struct gb_net_news *news)
{
    char text[REFUSED_TEXT], port[8] = "";

    if (news->port > 0)
        (void)snprintf(port, sizeof(port), ":%u", news->port);
    (void)snprintf(text, sizeof(text), "%s%s (%s)", news->name != NULL ? news->name : news->address,
                   port, news->reason);
    for (size_t i = 0; i < state->refused_count; i++) {
        if (strcmp(state->refused[i], text) == 0)
            return;
    }
    if (state->refused_count < REFUSED_MAX)
        memcpy(state->refused[state->refused_count++], text, sizeof(text));
}

/* Whether the guest or the session has ended it, so that nothing was refused. */
static bool report_is_given_up(const char *reason)
{
    static const char *const reasons[] = {"abandoned", "session_ended", "session_asleep",
                                          "session_rewound", "guest_network_ended"};

    for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
        if (strcmp(reason, reasons[i]) == 0)
            return true;
    return false;
}

/* For whoever wrote the code, often a model: what can be done about it. */
static void report_note(struct network_session *state, const struct gb_net_news *news)
{
    static const struct {
        const char *reason, *text;
    } sentences[] = {
        {"nobody_to_ask", "needs a person's permission, and nobody was there to be asked: ask "
                          "the user to allow it, or do without it"},
        {"no_answer", "needs a person's permission, and nobody answered in time: ask the user "
                      "to allow it, or do without it"},
        {"answered_no", "was refused by a person: do not try it again"},
        {"too_many_questions", "needs a person's permission, and too many others have been "
                               "asked for: connect to fewer hosts"},
    };
    char text[NOTE_TEXT];

    for (size_t i = 0; i < ARRAY_SIZE(sentences); i++) {
        if (strcmp(news->reason, sentences[i].reason) != 0 || news->cell == 0 ||
            news->cell != state->cell || state->note_count == NOTES_MAX)
            continue;
        (void)snprintf(text, sizeof(text), "network: %s:%u %s",
                       news->name != NULL ? news->name : news->address, news->port,
                       sentences[i].text);
        for (size_t j = 0; j < state->note_count; j++) {
            if (strcmp(state->notes[j], text) == 0)
                return;
        }
        memcpy(state->notes[state->note_count++], text, sizeof(text));
    }
}

void report_put_notes(struct gb_buf *note, struct hosted *hosted)
{
    struct network_session *state = network_state(hosted);
    size_t begin = note->size;

    for (size_t i = 0; i < state->note_count; i++) {
        if (note->size - begin + strlen(state->notes[i]) + 2 <= PART_NOTE_MAX)
            gb_buf_addf(note, "%s%s", note->size > 0 ? "; " : "", state->notes[i]);
    }
    state->note_count = 0;
}

void report_denied(void *arg, const struct gb_net_news *news)
{
    struct event event;

    if (!report_is_given_up(news->reason))
        report_remember(network_state(arg), news);
    report_note(network_state(arg), news);
    if (!news->opened) /* else its end follows */
        report_news(arg, GB_NETWORK_DENIED, news);
    if (report_begin_event(&event, arg, "network.denied", news))
        event_end(&event);
}

/* ---- replies ---- */

void report_put_refused(struct gb_json_out *out, struct hosted *hosted)
{
    struct network_session *state = network_state(hosted);

    if (state->refused_count == 0)
        return;
    gb_json_array(out, "network_refused");
    for (size_t i = 0; i < state->refused_count; i++)
        gb_json_put_str(out, NULL, state->refused[i]);
    gb_json_end(out);
    state->refused_count = 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "asking.h"

#include "base/allowance.h"
#include "base/clock.h"
#include "base/mem.h"
#include "rpc/object.h"
#include "server/core/event.h"
#include "server/core/state.h"
#include "server/network/report.h"
#include "server/network/state.h"

static const char asking_kind[] = "network.question";

/* ---- how long, and how often ---- */

static uint64_t asking_bound_ns(const struct hosted *hosted)
{
    return hosted->server->settings.sessions.question_ms * GB_NS_PER_MS;
}

static void asking_set_timer(struct hosted *hosted)
{
    struct network_session *state = network_state(hosted);
    const struct gb_net_question *oldest = gb_net_question(state->net, 0);
    uint64_t now = gb_clock_mono_ns(), due;

    if (oldest == NULL) {
        gb_timer_stop(state->question_timer);
        return;
    }
    due = oldest->asked_ns + asking_bound_ns(hosted);
    gb_timer_start(state->question_timer, due > now ? (due - now) / GB_NS_PER_MS + 1 : 0);
}

static void asking_on_time(void *arg)
{
    struct hosted *hosted = arg;
    struct network_session *state = network_state(hosted);
    const struct gb_net_question *oldest;

    while ((oldest = gb_net_question(state->net, 0)) != NULL &&
           gb_clock_mono_ns() >= oldest->asked_ns + asking_bound_ns(hosted))
        (void)gb_net_answer(state->net, oldest->number, false, "timed_out", "no_answer");
    asking_set_timer(hosted);
}

static bool asking_may_ask(struct network_session *state)
{
    /* People cannot answer more. */
    static const struct gb_allowance_rate rate = {16, 2000 * GB_NS_PER_MS};

    return gb_allowance_take(&state->question_allowance, &rate, gb_clock_mono_ns());
}

/* ---- what is told ---- */

static struct gb_bytes asking_text(const char *text)
{
    return gb_bytes_str(text[0] != '\0' ? text : NULL);
}

static struct gb_question_info asking_info(const struct hosted *hosted,
                                           const struct gb_net_question *question)
{
    return (struct gb_question_info){
        .question = question->number,
        .name = asking_text(question->name),
        .address = asking_text(question->address),
        .port = question->port,
        .cell = question->cell,
        .connections = question->waiting,
        .at_ns = question->asked_at_ns,
        .until_ns = question->asked_at_ns + asking_bound_ns(hosted),
    };
}

static bool asking_next(const void *owner, size_t *at, void *ret_item)
{
    struct hosted *hosted = (struct hosted *)(uintptr_t)owner;
    const struct network_session *state = network_state(hosted);
    const struct gb_net_question *question =
        state->net == NULL ? NULL : gb_net_question(state->net, *at);

    if (question == NULL)
        return false;
    *at = question->number;
    *(struct gb_question_info *)ret_item = asking_info(hosted, question);
    return true;
}

struct gb_items asking_list(struct hosted *hosted)
{
    return (struct gb_items){.next = asking_next, .owner = hosted};
}

void asking_put_snapshot(struct gb_json_out *out, struct gb_server *server,
                         const struct session_filter *filter)
{
    struct hosted *hosted;

    gb_json_array(out, "questions");
    GB_LIST_FOREACH(hosted, &server->sessions, link) {
        struct gb_question_info info;

        if (!filter->covers(filter, gb_session_id(hosted->session)))
            continue;
        for (size_t at = 0; asking_next(hosted, &at, &info);) {
            info.session = gb_bytes_str(gb_session_id(hosted->session));
            gb_json_object(out, NULL);
            gb_object_write(out, &gb_question_object, &info);
            gb_json_end(out);
        }
    }
    gb_json_end(out);
}

void asking_put_rule(struct gb_buf *text, const struct gb_net_question *question, bool allow)
{
    const bool is_ip = question->name[0] == '\0';

    gb_buf_addf(text, "%s %s%s :%u", allow ? "allow" : "deny", is_ip ? "ip " : "",
                is_ip ? question->address : question->name, question->port);
    if (allow && question->has_mode && !is_ip)
        gb_buf_addf(text, " %s", gb_policy_mode_name(question->mode));
    gb_buf_adds(text, allow && question->is_private ? " private\n" : "\n");
}

static void asking_put_info(struct event *event, const struct hosted *hosted,
                            const struct gb_net_question *question)
{
    const struct gb_question_info info = asking_info(hosted, question);

    gb_json_put_u64(&event->out, "question", question->number);
    gb_json_object(&event->out, "info");
    gb_object_write(&event->out, &gb_question_object, &info);
    gb_json_end(&event->out);
}

/* ---- events of engine/net ---- */

const char *asking_on_asked(void *arg, const struct gb_net_question *question)
{
    struct hosted *hosted = arg;
    struct network_session *state = network_state(hosted);
    struct event event;

    if (!part_can_answer(hosted->server, asking_kind, gb_session_id(hosted->session)))
        return "nobody_to_ask";
    if (!asking_may_ask(state))
        return "too_many_questions";
    if (state->question_timer == NULL)
        state->question_timer = gb_timer_new(hosted->server->loop, asking_on_time, hosted);
    if (!gb_timer_active(state->question_timer))
        gb_timer_start(state->question_timer, asking_bound_ns(hosted) / GB_NS_PER_MS);
    if (event_begin(&event, hosted->server, asking_kind, hosted)) {
        asking_put_info(&event, hosted, question);
        event_end(&event);
    }
    return NULL;
}

void asking_on_answered(void *arg, const struct gb_net_question *question, const char *answer)
{
    struct hosted *hosted = arg;
    const char *client = network_state(hosted)->answerer;
    struct event event;

    report_record(hosted, (struct gb_network_record){.kind = GB_NETWORK_ANSWER,
                                                     .cell = question->cell,
                                                     .name = asking_text(question->name),
                                                     .address = asking_text(question->address),
                                                     .port = question->port,
                                                     .line = question->line,
                                                     .reason = gb_bytes_str(answer),
                                                     .client = gb_bytes_str(client)});
    if (!event_begin(&event, hosted->server, "network.answered", hosted))
        return;
    asking_put_info(&event, hosted, question);
    gb_json_put_str(&event.out, "answer", answer);
    gb_json_put_str(&event.out, "client", client);
    event_end(&event);
}

void asking_on_watcher_gone(struct gb_server *server)
{
    struct hosted *hosted;

    GB_LIST_FOREACH(hosted, &server->sessions, link) {
        const struct network_session *state = network_state(hosted);
        const struct gb_net_question *oldest;

        if (state->net == NULL || gb_net_question(state->net, 0) == NULL ||
            part_can_answer(server, asking_kind, gb_session_id(hosted->session)))
            continue;
        while ((oldest = gb_net_question(state->net, 0)) != NULL)
            (void)gb_net_answer(state->net, oldest->number, false, "nobody", "nobody_to_ask");
    }
}

void asking_release(struct hosted *hosted)
{
    struct network_session *state = network_state(hosted);

    gb_timer_free(state->question_timer);
    state->question_timer = NULL;
}

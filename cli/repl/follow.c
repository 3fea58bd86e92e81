/* SPDX-License-Identifier: Apache-2.0 */
/* Follows the session, and shows what its other clients do: above what is being typed, or, while a
 * cell of ours waits for its turn, below it. Several events make one repaint. */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "model/answer.h"
#include "model/event.h"
#include "repl/console.h"
#include "repl/internal.h"
#include "repl/others.h"
#include "rpc/access.h"
#include "rpc/object.h"

enum {
    GATHER_MS = 20, /* between an event and the repaint for it and those after it */
    SUBSCRIBE_DEADLINE_MS = 30000,
    NAME_PLAIN_MAX = 64,
};

/* ---- showing ---- */

static void follow_later(struct repl *repl)
{
    if (!repl->follow.gathering)
        gb_timer_start(repl->follow.timer, GATHER_MS);
    repl->follow.gathering = true;
}

/* False: the terminal is not ours at the moment. */
static bool follow_show(struct repl *repl)
{
    struct follow *follow = &repl->follow;
    struct gb_buf text = {0};
    uint64_t due;

    if (!console_is_ours(repl->console))
        return false;
    others_show(follow->others, gb_clock_mono_ns(), &text);
    console_print(repl->console, &text);
    gb_buf_release(&text);
    follow->gathering = false;
    due = others_due_ms(follow->others, gb_clock_mono_ns());
    if (due > 0)
        gb_timer_start(follow->timer, MAX(due, (uint64_t)GATHER_MS));
    else
        gb_timer_stop(follow->timer);
    return true;
}

static void follow_on_time(void *arg)
{
    struct repl *repl = arg;

    repl->follow.gathering = false;
    (void)follow_show(repl); /* if not now, when the shell lets us continue */
}

void repl_follow_show(struct repl *repl)
{
    if (repl->follow.others != NULL)
        (void)follow_show(repl);
}

/* ---- events ---- */

void repl_follow_event(struct repl *repl, const struct gb_json *params)
{
    struct follow *follow = &repl->follow;
    struct gb_event_info event;
    bool held;

    if (follow->others == NULL || params == NULL)
        return;
    gb_object_take(&gb_event_object, params, &event);
    if (follow->number == 0 || event.subscription != follow->number)
        return;
    held = others_hold(follow->others);
    others_take(follow->others, params, gb_clock_mono_ns());
    if (!held) {
        follow_later(repl);
        return;
    }
    repl_follow_show(repl);
    if (!others_hold(follow->others))
        repl_flush(repl); /* the output of our cell is next */
}

static void follow_on_subscribed(void *arg, const struct gb_json *result,
                                 const struct gb_call_error *error)
{
    struct repl *repl = arg;
    struct gb_subscribed_info told;
    char text[GB_ERR_MESSAGE_MAX + 64];

    repl->follow.call = 0;
    if (error == NULL) {
        gb_object_take(&gb_subscribed_object, result, &told);
        repl->follow.number = told.subscription;
        return;
    }
    (void)snprintf(text, sizeof(text), "what others do is not shown: %s", error->message);
    others_say(repl->follow.others, text, gb_clock_mono_ns());
    follow_later(repl);
}

static void follow_subscribe(struct repl *repl)
{
    struct gb_buf params = {0};
    struct gb_json_out out = {.buf = &params};

    gb_json_object(&out, NULL);
    gb_json_array(&out, "sessions");
    gb_json_put_str(&out, NULL, repl->session);
    gb_json_end(&out);
    gb_json_array(&out, "kinds");
    for (const char *const *kind = others_kinds; *kind != NULL; kind++)
        gb_json_put_str(&out, NULL, *kind);
    gb_json_end(&out);
    gb_json_put_bool(&out, "output", true);
    gb_json_put_bool(&out, "replay", true);
    gb_json_end(&out);
    repl->follow.call = gb_client_call(repl->app->client, "events.subscribe", &params,
                                       SUBSCRIBE_DEADLINE_MS, follow_on_subscribed, repl);
    gb_buf_release(&params);
}

/* ---- our own cells ---- */

void repl_follow_sent(struct repl *repl)
{
    if (repl->follow.others == NULL)
        return;
    others_sent(repl->follow.others);
    (void)follow_show(repl);
}

void repl_follow_started(struct repl *repl, uint32_t cell)
{
    if (repl->follow.others == NULL)
        return;
    (void)follow_show(repl); /* what ran before it */
    others_started(repl->follow.others, cell);
}

void repl_follow_ended(struct repl *repl)
{
    if (repl->follow.others == NULL)
        return;
    others_ended(repl->follow.others);
    follow_later(repl);
}

bool repl_follow_holds(const struct repl *repl)
{
    return repl->follow.others != NULL && others_hold(repl->follow.others);
}

/* ---- on and off ---- */

/* How a person may call the session in a command. */
static const char *follow_session_word(const struct repl *repl)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    const char *named = repl->named;

    if (named != NULL && named[0] != '-' && strlen(named) <= NAME_PLAIN_MAX &&
        named[strspn(named, plain)] == '\0')
        return named;
    return repl->session;
}

void repl_follow_begin(struct repl *repl)
{
    struct follow *follow = &repl->follow;

    if (follow->off || follow->others != NULL || !repl->tty || console_is_dumb() ||
        repl->session == NULL)
        return;
    follow->others = others_new(&(struct others_config){
        .languages = &repl->app->languages,
        .language = repl->language,
        .session = follow_session_word(repl),
        .colour = repl->colours,
    });
    follow->timer = gb_timer_new(repl->app->loop, follow_on_time, repl);
    follow_subscribe(repl);
}

void repl_follow_end(struct repl *repl)
{
    struct follow *follow = &repl->follow;
    struct gb_buf params = {0};
    struct gb_json_out out = {.buf = &params};

    if (follow->others == NULL)
        return;
    if (follow->call != 0)
        gb_client_forget(repl->app->client, follow->call);
    if (follow->number != 0) {
        gb_json_object(&out, NULL);
        gb_json_put_u64(&out, "subscription", follow->number);
        gb_json_end(&out);
        (void)gb_client_call(repl->app->client, "events.unsubscribe", &params,
                             SUBSCRIBE_DEADLINE_MS, NULL, NULL);
        gb_buf_release(&params);
    }
    gb_timer_free(TAKE_PTR(follow->timer));
    others_free(TAKE_PTR(follow->others));
    follow->call = follow->number = 0;
    follow->gathering = false;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Closing with a grace period: the server is told when the time to change one's mind is over, or
 * immediately if the user confirms or leaves.
 *
 * The pending close is recorded in the session (`closing_ns`, on the monotonic clock), so that
 * lists can show it. A single timer runs to the earliest one.
 */
#include <stdio.h>
#include <string.h>

#include "app/internal.h"
#include "base/clock.h"
#include "base/mem.h"
#include "show/words.h"

enum { CLOSING_DEADLINE_MS = 30000, CLOSING_LEAVE_MS = 3000 };

/* A session about to be closed, or NULL; and their number. */
static struct session *closing_first(struct tui *tui, size_t *ret_count)
{
    struct session *session = NULL, *first = NULL;

    *ret_count = 0;
    while ((session = tui_next_session(tui, session)) != NULL)
        if (session->closing_ns != 0) {
            (*ret_count)++;
            if (first == NULL || session->closing_ns < first->closing_ns)
                first = session;
        }
    return first;
}

bool closing_is_pending(struct tui *tui)
{
    size_t count;

    return closing_first(tui, &count) != NULL;
}

/* The message once all answers have arrived. */
static void closing_tell(struct tui *tui)
{
    struct closing *closing = &tui->closing;

    if (closing->asked > closing->closed + closing->failed)
        return;
    if (closing->failed > 0)
        tui_say(tui, MESSAGE_ERROR, "%zu of %zu sessions could not be closed: %s", closing->failed,
                closing->asked, closing->why);
    else if (closing->closed == 1)
        tui_say(tui, MESSAGE_GOOD, "%s closed", closing->name);
    else if (closing->closed > 1)
        tui_say(tui, MESSAGE_GOOD, "%zu sessions closed", closing->closed);
    *closing = (struct closing){.timer = closing->timer, .leaving = closing->leaving};
    if (closing->leaving)
        tui_quit(tui);
}

static void closing_on_closed(void *arg, const struct gb_json *result,
                              const struct gb_call_error *error)
{
    struct tui *tui = arg;

    (void)result;
    if (error == NULL) {
        tui->closing.closed++;
    } else {
        tui->closing.failed++;
        (void)snprintf(tui->closing.why, sizeof(tui->closing.why), "%s", error->message);
    }
    closing_tell(tui);
}

static void closing_do(struct tui *tui, struct session *session)
{
    struct gb_buf params = {0};
    struct gb_json_out out = {.buf = &params};

    session->closing_ns = 0;
    tui->closing.asked++;
    (void)snprintf(tui->closing.name, sizeof(tui->closing.name), "%.150s", session_title(session));
    gb_json_object(&out, NULL);
    gb_json_put_str(&out, "session", session->id);
    gb_json_end(&out);
    if (uplink_call(uplink_of(session), "session.close", &params, CLOSING_DEADLINE_MS,
                    closing_on_closed, tui) == 0)
        tui->closing.asked--;
    gb_buf_release(&params);
}

static void closing_say_lost(struct tui *tui, const char *host, size_t count)
{
    const char *what = count == 1 ? "not closed" : "none of them closed";

    if (host[0] != '\0')
        tui_say(tui, MESSAGE_ERROR, "%s: there is no link to %s", what, host);
    else
        tui_say(tui, MESSAGE_ERROR, "%s: there is no server", what);
}

/* Without a server nothing can be closed, and nothing must be closed later behind the user's
 * back. */
void closing_give_up(struct uplink *uplink)
{
    struct session *session;
    size_t count = 0;

    GB_LIST_FOREACH(session, &uplink->store.sessions, link) {
        count += session->closing_ns != 0;
        session->closing_ns = 0;
    }
    if (count == 0)
        return;
    gb_timer_start(uplink->tui->closing.timer, 0); /* for those of other servers */
    closing_say_lost(uplink->tui, uplink->store.name, count);
}

static void closing_on_time(void *arg)
{
    struct tui *tui = arg;
    uint64_t now = gb_clock_mono_ns();
    struct session *session = NULL;
    size_t count;

    if (tui->closing.leaving) {
        tui_quit(tui);
        return;
    }
    while ((session = tui_next_session(tui, session)) != NULL)
        if (session->closing_ns != 0 && session->closing_ns <= now)
            closing_do(tui, session);
    session = closing_first(tui, &count);
    if (session != NULL)
        gb_timer_start(tui->closing.timer, (session->closing_ns - now) / GB_NS_PER_MS + 1);
    tui_redraw(tui);
}

void closing_open(struct tui *tui)
{
    tui->closing.timer = gb_timer_new(tui->loop, closing_on_time, tui);
}

/* On leaving, pending closes are carried out. A server that does not answer delays nobody. */
bool closing_leave(struct tui *tui)
{
    struct session *session = NULL;

    /* Those of servers that are gone have been given up. */
    if (tui->closing.leaving || !closing_is_pending(tui))
        return false;
    tui->closing.leaving = true;
    while ((session = tui_next_session(tui, session)) != NULL)
        if (session->closing_ns != 0)
            closing_do(tui, session);
    gb_timer_start(tui->closing.timer, CLOSING_LEAVE_MS);
    return true;
}

/* tui_say_closing() tells it together with the others of the same command. */
static void closing_refuse(struct closing *closing, const char *host)
{
    if (closing->refused == 0)
        (void)snprintf(closing->refused_host, sizeof(closing->refused_host), "%s", host);
    else if (strcmp(closing->refused_host, host) != 0)
        (void)snprintf(closing->refused_host, sizeof(closing->refused_host), "their hosts");
    closing->refused++;
}

bool tui_close_session(struct tui *tui, struct session *session)
{
    if (!uplink_is_up(uplink_of(session))) { /* as in closing_give_up() */
        closing_refuse(&tui->closing, session->store->name);
        return false;
    }
    if (session->closing_ns != 0 || tui->undo_ms == 0) {
        closing_do(tui, session);
        return false;
    }
    session->closing_ns = gb_clock_mono_ns() + tui->undo_ms * GB_NS_PER_MS;
    gb_timer_start(tui->closing.timer, 0); /* it computes how long it has to run */
    return true;
}

void tui_say_closing(struct tui *tui)
{
    char key[KEY_NAME_MAX], age[32], but[STORE_HOST_MAX + 64] = "";
    struct closing *closing = &tui->closing;
    const size_t refused = closing->refused;
    size_t count;
    const struct session *first = closing_first(tui, &count);

    closing->refused = 0;
    if (first == NULL && refused > 0)
        closing_say_lost(tui, closing->refused_host, refused);
    if (first == NULL)
        return;
    if (refused > 0)
        (void)snprintf(but, sizeof(but), "; %zu not: there is no link to %s", refused,
                       closing->refused_host[0] != '\0' ? closing->refused_host : "the server");
    words_age(age, sizeof(age), (double)tui->undo_ms / 1000);
    tui_key_of(tui, tui_context(tui), "undo", key);
    if (count == 1)
        tui_say(tui, MESSAGE_WARNING, "%s closes in %s; %s takes that back%s", session_title(first),
                age, key, but);
    else
        tui_say(tui, MESSAGE_WARNING, "%zu sessions close in %s; %s takes that back%s", count, age,
                key, but);
}

void closing_run_close(struct tui *tui, const struct words *words)
{
    struct session *session = lease_subject(tui);

    (void)words;
    if (session == NULL)
        tui_say(tui, MESSAGE_PLAIN, "there is no session here");
    else if (session_gone(session))
        tui_say(tui, MESSAGE_PLAIN, "%s is closed already", session_title(session));
    else {
        (void)tui_close_session(tui, session);
        tui_say_closing(tui);
    }
}

bool tui_undo_closing(struct tui *tui)
{
    struct session *session;
    char name[STORE_NAME_MAX];
    size_t count;

    session = closing_first(tui, &count);
    if (session == NULL)
        return false;
    (void)snprintf(name, sizeof(name), "%s", session_title(session));
    for (session = NULL; (session = tui_next_session(tui, session)) != NULL;)
        session->closing_ns = 0;
    gb_timer_stop(tui->closing.timer);
    if (count == 1)
        tui_say(tui, MESSAGE_GOOD, "%s stays open", name);
    else
        tui_say(tui, MESSAGE_GOOD, "%zu sessions stay open", count);
    return true;
}

void closing_run_undo(struct tui *tui, const struct words *words)
{
    (void)words;
    if (!tui_undo_closing(tui))
        tui_say(tui, MESSAGE_PLAIN, "nothing is about to close");
}

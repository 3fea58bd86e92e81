/* SPDX-License-Identifier: Apache-2.0 */
/* Taking a session over from its agent, and handing it back with a note. */
#include <stdio.h>
#include <string.h>

#include "app/internal.h"
#include "base/limits.h"
#include "base/mem.h"
#include "show/words.h"

enum { LEASE_DEADLINE_MS = 30000, BANNER_NAME_COLUMNS = 24 };

struct session *lease_subject(const struct tui *tui)
{
    const struct view *view = tui->view;

    if (view->ops->session != NULL)
        return view->ops->session(view);
    return tui->open_view != NULL ? ref_find(&tui->opened) : NULL;
}

/* The session; NULL if there is none, which was reported. */
static struct session *lease_open_subject(struct tui *tui)
{
    struct session *session = lease_subject(tui);

    if (session == NULL)
        tui_say(tui, MESSAGE_PLAIN, "there is no session here");
    else if (session_gone(session))
        tui_say(tui, MESSAGE_PLAIN, "%s is closed", session_title(session));
    return session != NULL && !session_gone(session) ? session : NULL;
}

static void lease_on_answer(void *arg, const struct gb_json *result,
                            const struct gb_call_error *error)
{
    struct tui *tui = arg;
    const struct gb_json *lease;

    if (error != NULL) {
        tui_say_error(tui, "lease", error);
        return;
    }
    lease = gb_json_member(result, "lease");
    if (lease != NULL && lease->type == GB_JSON_OBJECT)
        tui_say(tui, MESSAGE_GOOD, "you hold it: cells of others wait until you hand it back");
    else
        tui_say(tui, MESSAGE_GOOD, "handed back");
}

static void lease_call(struct tui *tui, const struct session *session, const char *action,
                       const char *note)
{
    struct gb_buf params = {0};
    struct gb_json_out out = {.buf = &params};

    gb_json_object(&out, NULL);
    gb_json_put_str(&out, "session", session->id);
    gb_json_put_str(&out, "action", action);
    if (note != NULL && note[0] != '\0')
        gb_json_put_str(&out, "note", note);
    if (strcmp(action, "take") == 0)
        gb_json_put_bool(&out, "human", true);
    gb_json_end(&out);
    (void)uplink_call(uplink_of(session), "session.lease", &params, LEASE_DEADLINE_MS,
                      lease_on_answer, tui);
    gb_buf_release(&params);
}

void lease_take(struct tui *tui, const struct words *words)
{
    struct session *session = lease_open_subject(tui);

    if (session == NULL)
        return;
    if (session->lease.held && session->lease.mine)
        tui_say(tui, MESSAGE_PLAIN, "you hold it already");
    else
        lease_call(tui, session, "take", words->rest);
}

static void lease_on_note(void *arg, const char *line)
{
    struct tui *tui = arg;
    struct session *session = ref_find(&tui->lease_session);

    if (line == NULL)
        tui_say(tui, MESSAGE_PLAIN, "you still hold it");
    else if (session != NULL)
        lease_call(tui, session, "release", line);
}

void lease_hand_back(struct tui *tui, const struct words *words)
{
    struct session *session = lease_open_subject(tui);

    if (session == NULL)
        return;
    if (!session->lease.held || !session->lease.mine) {
        tui_say(tui, MESSAGE_PLAIN, "you do not hold it");
        return;
    }
    if (words->count > 1) {
        lease_call(tui, session, "release", words->rest);
        return;
    }
    ref_set(&tui->lease_session, session);
    tui_ask(tui, "a note for the agent (empty: none): ", NULL, lease_on_note, tui);
}

/* A name, truncated to leave room for the rest. */
static void lease_add_name(struct gb_buf *out, const char *name)
{
    struct gb_bytes text = gb_bytes_str(name);
    size_t size = text_fit(text, BANNER_NAME_COLUMNS, NULL);

    gb_buf_add(out, text.data, size);
    if (size < text.size)
        gb_buf_adds(out, "…");
}

static void lease_add_mine(struct gb_buf *out, const struct session *session, const char *key,
                           const char *age)
{
    gb_buf_addf(out, "You hold this session, %s hands it back; agents wait up to %u min", key,
                GB_LEASE_WAIT_MS / 60000);
    if (session->lease.waiting > 0)
        gb_buf_addf(out, " (%u wait%s)", session->lease.waiting,
                    session->lease.waiting == 1 ? "s" : "");
    gb_buf_addf(out, "; held for %s", age);
}

static void lease_add_others(struct gb_buf *out, const struct session *session, const char *key,
                             const char *age)
{
    gb_buf_adds(out, "Held by ");
    lease_add_name(out, session->lease.holder[0] != '\0' ? session->lease.holder : "somebody");
    gb_buf_addf(out, "%s, %s takes it over; you watch; held for %s",
                session->lease.human ? " (a person)" : "", key, age);
    if (session->lease.note[0] != '\0')
        gb_buf_addf(out, ": %s", session->lease.note);
}

/* For the banner, most important things first, because it may be truncated. False if nobody holds
 * the lease. */
bool lease_text(struct tui *tui, const struct session *session, struct gb_buf *out,
                enum role *ret_role)
{
    char age[32] = "less than a minute", key[KEY_NAME_MAX];
    double seconds;

    if (!session->lease.held)
        return false;
    seconds = MAX(0, tui_now(tui) - session->lease.since);
    if (seconds >= 60)
        words_age(age, sizeof(age), seconds);
    *ret_role = session->lease.mine ? ROLE_BANNER_MINE : ROLE_BANNER_LEASE;
    tui_key_of(tui, tui_context(tui), session->lease.mine ? "hand-back" : "take", key);
    if (session->lease.mine)
        lease_add_mine(out, session, key, age);
    else
        lease_add_others(out, session, key, age);
    return true;
}

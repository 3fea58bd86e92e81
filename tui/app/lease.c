/* Taking a session over from its agent, and handing it back with a note. */
#include <stdio.h>
#include <string.h>

#include "app/internal.h"
#include "base/mem.h"
#include "cli/app.h"

enum { LEASE_DEADLINE_MS = 30000 };

const char *lease_subject(const struct tui *tui)
{
    const struct view *view = tui->view;

    if (view->ops->session != NULL)
        return view->ops->session(view);
    return view->below != NULL && tui->opened[0] != '\0' ? tui->opened : NULL;
}

/* That session; NULL, which was told. */
static struct session *subject(struct tui *tui)
{
    const char *id = lease_subject(tui);
    struct session *session = id != NULL ? store_find(&tui->store, id) : NULL;

    if (session == NULL)
        tui_say(tui, MESSAGE_PLAIN, "there is no session here");
    else if (session_gone(session))
        tui_say(tui, MESSAGE_PLAIN, "%s is closed", session_title(session));
    return session != NULL && !session_gone(session) ? session : NULL;
}

static void on_lease(void *arg, const struct gb_json *result, const struct gb_call_error *error)
{
    struct tui *tui = arg;
    const struct gb_json *lease;

    if (error != NULL) {
        tui_say_error(tui, "lease", error);
        return;
    }
    lease = gb_json_member(result, "lease");
    if (lease != NULL && lease->type == GB_JSON_OBJECT)
        tui_say(tui, MESSAGE_GOOD,
                "you hold it: cells of others wait or are refused until you "
                "hand it back");
    else
        tui_say(tui, MESSAGE_GOOD, "it is handed back");
}

static void call_lease(struct tui *tui, const char *session, const char *action, const char *note)
{
    struct gb_buf params = {0};
    struct gb_json_out out = {.buf = &params};

    gb_json_object(&out, NULL);
    gb_json_put_str(&out, "session", session);
    gb_json_put_str(&out, "action", action);
    if (note != NULL && note[0] != '\0')
        gb_json_put_str(&out, "note", note);
    if (strcmp(action, "take") == 0)
        gb_json_put_bool(&out, "human", true);
    gb_json_end(&out);
    (void)tui_call(tui, "session.lease", &params, LEASE_DEADLINE_MS, on_lease, tui);
    gb_buf_release(&params);
}

void lease_take(struct tui *tui, const struct words *words)
{
    struct session *session = subject(tui);

    if (session == NULL)
        return;
    if (session->lease.held && session->lease.mine)
        tui_say(tui, MESSAGE_PLAIN, "you hold it already");
    else
        call_lease(tui, session->id, "take", words->rest);
}

static void on_note(void *arg, const char *line)
{
    struct tui *tui = arg;
    struct session *session = store_find(&tui->store, tui->lease_session);

    if (line == NULL)
        tui_say(tui, MESSAGE_PLAIN, "you still hold it");
    else if (session != NULL)
        call_lease(tui, session->id, "release", line);
}

void lease_hand_back(struct tui *tui, const struct words *words)
{
    struct session *session = subject(tui);

    if (session == NULL)
        return;
    if (!session->lease.held || !session->lease.mine) {
        tui_say(tui, MESSAGE_PLAIN, "you do not hold it");
        return;
    }
    if (words->count > 1) {
        call_lease(tui, session->id, "release", words->rest);
        return;
    }
    (void)snprintf(tui->lease_session, sizeof(tui->lease_session), "%s", session->id);
    tui_ask(tui, "a note for the agent (empty: none): ", NULL, on_note, tui);
}

/* "held by NAME since 12:01 (3m)": for the banner. False when nobody holds it. */
bool lease_text(struct tui *tui, const char *id, struct gb_buf *out, enum role *ret_role)
{
    const struct session *session = store_find(&tui->store, id);
    double seconds;
    char age[32], key[KEY_NAME_MAX];

    if (session == NULL || !session->lease.held)
        return false;
    seconds = MAX(0, tui_now(tui) - session->lease.since);
    *ret_role = session->lease.mine ? ROLE_BANNER_MINE : ROLE_BANNER_LEASE;
    tui_key_of(tui, tui_context(tui), session->lease.mine ? "hand-back" : "take", key);
    if (session->lease.mine) {
        gb_buf_adds(out, "You hold this session");
    } else {
        gb_buf_addf(out, "Held by %s%s",
                    session->lease.holder[0] != '\0' ? session->lease.holder : "somebody",
                    session->lease.human ? " (a person)" : "");
    }
    format_age(age, sizeof(age), seconds);
    if (seconds < 60)
        gb_buf_adds(out, ", since less than a minute");
    else
        gb_buf_addf(out, ", for %s", age);
    if (!session->lease.mine && session->lease.note[0] != '\0')
        gb_buf_addf(out, ": %s", session->lease.note);
    gb_buf_addf(out,
                session->lease.mine ? "; the agent's cells wait. %s hands it back"
                                    : "; you watch. %s takes it over",
                key);
    return true;
}

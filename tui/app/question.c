/* SPDX-License-Identifier: Apache-2.0 */
/* Deciding about connections of sessions that wait: a banner, a key, and one more key for the
 * answer. */
#include "store/question.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/internal.h"
#include "base/mem.h"

enum { QUESTION_DEADLINE_MS = 30000, QUESTION_TEXT_MAX = 256 };

static const struct {
    const char *answer; /* in the protocol, and as the command's argument */
    uint32_t key;
    const char *said;
} question_answers[] = {
    {"once", 'y', "let through, this time"},
    {"session", 's', "let through, for the rest of the session"},
    {"always", 'a', "let through, and so in the settings"},
    {"refuse", 'n', "refused, this time"},
    {"never", 'v', "refused, for the rest of the session"},
};
static const struct bar_key question_keys[] = {
    {"y", "once"},  {"s", "this session"}, {"a", "always"}, {"n", "refuse"},
    {"v", "never"}, {"Esc", "later"},      {NULL, NULL}};

/* Asks for the answer to one question, which stays the same when others are answered meanwhile. */
struct asking {
    struct overlay overlay;
    struct uplink *uplink;
    char session[STORE_NAME_MAX];
    uint64_t number;
    char text[QUESTION_TEXT_MAX];
};

struct question_call {
    struct tui *tui;
    const char *said;
};

static void question_on_answer(void *arg, const struct gb_json *result,
                               const struct gb_call_error *error)
{
    struct question_call *call = arg;

    (void)result;
    if (error != NULL)
        tui_say_error(call->tui, "network", error);
    else
        tui_say(call->tui, MESSAGE_GOOD, "%s", call->said);
    free(call);
}

static void question_send(struct uplink *uplink, const char *session, uint64_t number,
                          size_t answer)
{
    struct question_call *call = xcalloc(1, sizeof(*call));
    struct gb_buf params = {0};
    struct gb_json_out out = {.buf = &params};

    *call = (struct question_call){uplink->tui, question_answers[answer].said};
    gb_json_object(&out, NULL);
    gb_json_put_str(&out, "session", session);
    gb_json_put_u64(&out, "question", number);
    gb_json_put_str(&out, "answer", question_answers[answer].answer);
    gb_json_end(&out);
    if (uplink_call(uplink, "session.network_answer", &params, QUESTION_DEADLINE_MS,
                    question_on_answer, call) == 0)
        free(call);
    gb_buf_release(&params);
}

/* ---- asking ---- */

static struct asking *question_asking(struct overlay *overlay)
{
    return container_of(overlay, struct asking, overlay);
}

static void question_draw(struct overlay *overlay, struct region region)
{
    const struct asking *asking = question_asking(overlay);
    struct region row = region_part(region, 0, region.height - 2, -1, 1);

    paint_fill(row, STYLE(ROLE_TEXT));
    (void)paint_cut(row, 1, 0, row.width - 2, STYLE(ROLE_ACCENT), gb_bytes_str(asking->text));
}

static bool question_event(struct overlay *overlay, const struct input_event *event)
{
    const struct asking asking = *question_asking(overlay);
    struct tui *tui = overlay->tui;
    const struct key key = event->key;

    if (event->kind != INPUT_KEY)
        return true;
    if (key.code == KEY_ESCAPE ||
        (key.modifiers == KEY_CONTROL && (key.code == 'c' || key.code == 'g'))) {
        tui_set_overlay(tui, NULL);
        return true;
    }
    for (size_t i = 0; i < ARRAY_SIZE(question_answers); i++)
        if (key.modifiers == 0 && key.code == question_answers[i].key) {
            tui_set_overlay(tui, NULL);
            question_send(asking.uplink, asking.session, asking.number, i);
            break;
        }
    return true;
}

static void question_free(struct overlay *overlay)
{
    free(question_asking(overlay));
}

void tui_decide(struct uplink *uplink, const char *session, const struct question *question)
{
    static const struct overlay_ops ops = {"CONNECTION", question_draw, question_event,
                                           question_free};
    struct asking *asking = xcalloc(1, sizeof(*asking));

    asking->overlay = (struct overlay){&ops, question_keys, uplink->tui};
    asking->uplink = uplink;
    (void)snprintf(asking->session, sizeof(asking->session), "%s", session);
    asking->number = question->number;
    question_text(question, asking->text, sizeof(asking->text));
    tui_set_overlay(uplink->tui, &asking->overlay);
}

void question_run(struct tui *tui, const struct words *words)
{
    const struct session *session = lease_subject(tui);

    if (session == NULL || session->question == NULL) {
        tui_say(tui, MESSAGE_PLAIN, "no connection waits for a decision here");
        return;
    }
    if (words->count < 2) {
        tui_decide(uplink_of(session), session->id, session->question);
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(question_answers); i++)
        if (words->count == 2 && strcmp(words->words[1], question_answers[i].answer) == 0) {
            question_send(uplink_of(session), session->id, session->question->number, i);
            return;
        }
    tui_say(tui, MESSAGE_ERROR, "network takes once, session, always, refuse or never");
}

/* ---- the banner ---- */

bool question_banner(struct tui *tui, const struct session *session, struct gb_buf *out)
{
    char text[QUESTION_TEXT_MAX], key[KEY_NAME_MAX];

    if (session->question == NULL)
        return false;
    tui_key_of(tui, tui_context(tui), "network", key);
    question_text(session->question, text, sizeof(text));
    gb_buf_addf(out, "%s decides: %s", key, text);
    return true;
}

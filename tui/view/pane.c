/* SPDX-License-Identifier: Apache-2.0 */
#include "view/pane.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/limits.h"
#include "base/mem.h"
#include "kit/outside.h"
#include "model/answer.h"
#include "rpc/access.h"
#include "rpc/object.h"

enum { KEY_DEADLINE_MS = 2000, CALL_DEADLINE_MS = 30000 };

/* The purpose of a call; forgotten when the pane is freed. */
struct pane_call {
    struct gb_list link;
    struct pane *pane;
    uint64_t call;
    uint64_t question;
    void (*done)(struct pane *pane, struct pane_call *call, const struct gb_json *result,
                 const struct gb_call_error *error);
};

static void pane_on_reply(void *arg, const struct gb_json *result,
                          const struct gb_call_error *error)
{
    struct pane_call *call = arg;

    gb_list_remove(&call->link);
    call->done(call->pane, call, result, error);
    tui_redraw(call->pane->tui);
    free(call);
}

/* Returns the number of the call; 0: no connection. */
static uint64_t pane_call_server(struct pane *pane, const char *method, struct gb_buf *params,
                                 uint64_t deadline_ms, uint64_t question,
                                 void (*done)(struct pane *, struct pane_call *,
                                              const struct gb_json *, const struct gb_call_error *))
{
    struct pane_call *call = xcalloc(1, sizeof(*call));

    call->pane = pane;
    call->question = question;
    call->done = done;
    call->call = uplink_call(pane->uplink, method, params, deadline_ms, pane_on_reply, call);
    gb_buf_release(params);
    if (call->call == 0) {
        free(call);
        return 0;
    }
    gb_list_add_tail(&pane->calls, &call->link);
    return call->call;
}

static struct gb_json_out pane_begin_params(const struct pane *pane, struct gb_buf *params)
{
    struct gb_json_out out = {.buf = params};

    gb_json_object(&out, NULL);
    gb_json_put_str(&out, "session", pane->session);
    return out;
}

/* ---- cells ---- */

/* Puts a cell that did not run, and can be sent again, back where it was typed. */
static void pane_bring_back(struct pane *pane, const struct card *card)
{
    struct prompt_view view;
    char *code;

    prompt_view(&view);
    if (card == NULL || card->source_cut || pane->input || !prompt_is_attached(pane) ||
        view.size > 0)
        return;
    code = xstrndup((const char *)gb_buf_data(&card->source), card->source.size);
    prompt_set_text(code);
    free(code);
}

/* How it ended, if it ran. */
static void pane_tell_history(const struct pane *pane, const struct card *card)
{
    char verdict[64];

    if (card == NULL || card->state != CARD_DONE || card->source_cut || card->error != NULL)
        return;
    card_verdict(card, verdict, sizeof(verdict));
    prompt_ended(pane->language, gb_buf_bytes(&card->source), verdict[0] != '\0' ? verdict : "ok");
}

static void pane_on_cell(struct pane *pane, struct pane_call *call, const struct gb_json *result,
                         const struct gb_call_error *error)
{
    const struct card *card = cells_of_call(pane->cells, call->call);

    if (error != NULL && !error->dispatched && error->retryable)
        pane_bring_back(pane, card);
    cells_reply(pane->cells, call->call, result, error != NULL ? error->message : "");
    pane_tell_history(pane, card);
}

/* False, which was reported, if there is no server to send to. */
static bool pane_is_there(struct pane *pane)
{
    char reconnect[KEY_NAME_MAX];

    if (uplink_is_up(pane->uplink))
        return true;
    tui_key_of(pane->tui, CONTEXT_GLOBAL, "reconnect", reconnect);
    tui_say(pane->tui, MESSAGE_ERROR, "not sent: no server; %s starts one", reconnect);
    return false;
}

bool pane_run(struct pane *pane, const char *code)
{
    struct gb_buf params = {0};
    struct gb_json_out out;
    uint64_t call;

    if (!pane_is_there(pane))
        return false;
    out = pane_begin_params(pane, &params);
    gb_json_put_str(&out, "code", code);
    gb_json_put_bool(&out, "interactive", true);
    gb_json_put_bool(&out, "detach", true); /* the cell outlives this front end */
    gb_json_put_u64(&out, "timeout_ms", GB_TIMEOUT_MAX_MS);
    gb_json_end(&out);
    call = pane_call_server(pane, "session.exec", &params, 0, 0, pane_on_cell);
    (void)cells_sent(pane->cells, call, code);
    pane->interrupts = 0;
    return true;
}

static void pane_on_typed_taken(struct pane *pane, struct pane_call *call,
                                const struct gb_json *result, const struct gb_call_error *error)
{
    (void)call;
    (void)result;
    if (error != NULL && error->code != GB_ENOTFOUND) /* the cell may have ended meanwhile */
        tui_say_error(pane->tui, "input", error);
}

static bool pane_send_input(struct pane *pane, const char *line, bool eof)
{
    struct gb_buf params = {0}, text = {0};
    struct gb_json_out out;

    if (!pane_is_there(pane))
        return false;
    out = pane_begin_params(pane, &params);
    gb_buf_adds(&text, line);
    if (!eof)
        gb_buf_adds(&text, "\n");
    gb_json_put_str(&out, "text", gb_buf_str(&text));
    gb_json_put_bool(&out, "eof", eof);
    gb_json_end(&out);
    (void)pane_call_server(pane, "session.stdin", &params, CALL_DEADLINE_MS, 0,
                           pane_on_typed_taken);
    gb_buf_release(&text);
    return true;
}

static void pane_on_interrupted(struct pane *pane, struct pane_call *call,
                                const struct gb_json *result, const struct gb_call_error *error)
{
    (void)call;
    (void)result;
    if (error != NULL && error->code != GB_ENOTFOUND)
        tui_say_error(pane->tui, "interrupt", error);
}

void pane_interrupt(struct pane *pane)
{
    struct gb_buf params = {0};
    struct gb_json_out out;

    if (pane->focused && prompt_is_attached(pane) && prompt_clear())
        return;
    if (cells_running(pane->cells) == NULL) {
        tui_say(pane->tui, MESSAGE_PLAIN, "nothing runs");
        return;
    }
    out = pane_begin_params(pane, &params);
    gb_json_end(&out);
    (void)pane_call_server(pane, "session.interrupt", &params, CALL_DEADLINE_MS, 0,
                           pane_on_interrupted);
    pane->interrupts++;
    tui_say(pane->tui, MESSAGE_WARNING, "%s",
            pane->interrupts < 3 ? "interrupted"
                                 : "the cell does not end; :close ends the session");
}

/* ---- what the prompt asks ---- */

static void pane_on_complete(struct pane *pane, struct pane_call *call,
                             const struct gb_json *result, const struct gb_call_error *error)
{
    struct gb_whole_info whole;
    char indent[256];

    if (!prompt_is_attached(pane) || error != NULL)
        return; /* the deadline decides */
    gb_object_take(&gb_whole_object, result, &whole);
    json_copy_text(whole.indent, indent, sizeof(indent));
    prompt_completeness(call->question, whole.status != GB_INCOMPLETE, indent);
}

static void pane_on_deadline(void *arg)
{
    struct pane *pane = arg;

    if (prompt_is_attached(pane) && prompt_waits()) {
        prompt_expired();
        tui_redraw(pane->tui);
    }
}

static void pane_ask_complete(void *arg, uint64_t question, const char *text)
{
    struct pane *pane = arg;
    struct gb_buf params = {0};
    struct gb_json_out out = pane_begin_params(pane, &params);

    gb_timer_start(pane->deadline, pane->input ? 0 : PROMPT_DEADLINE_MS);
    if (pane->input) { /* a line is always complete; its Enter is accepted in the next loop
                        * iteration */
        gb_buf_release(&params);
        return;
    }
    gb_json_put_str(&out, "code", text);
    gb_json_end(&out);
    (void)pane_call_server(pane, "session.is_complete", &params, KEY_DEADLINE_MS, question,
                           pane_on_complete);
}

static void pane_on_matches(struct pane *pane, struct pane_call *call, const struct gb_json *result,
                            const struct gb_call_error *error)
{
    struct gb_matches_info told;
    struct gb_match_info match;
    struct prompt_match matches[PROMPT_MATCHES_MAX];
    char *strings[PROMPT_MATCHES_MAX][2];
    size_t count = 0;

    if (!prompt_is_attached(pane) || error != NULL)
        return;
    gb_object_take(&gb_matches_object, result, &told);
    for (size_t at = 0; count < PROMPT_MATCHES_MAX &&
                        gb_items_next(&gb_match_object, &told.matches, &at, &match) == 1;) {
        struct gb_bytes text = match.text, kind = match.type;
        bool plain = text.size > 0;

        for (size_t j = 0; j < text.size; j++)
            plain &= text.data[j] >= 0x20 && text.data[j] != 0x7f;
        if (!plain)
            continue; /* not a possible name */
        strings[count][0] = xstrndup((const char *)text.data, text.size);
        strings[count][1] = xstrndup((const char *)kind.data, MIN(kind.size, 32u));
        matches[count] = (struct prompt_match){strings[count][0], strings[count][1]};
        count++;
    }
    prompt_matches(call->question, matches, count, told.start);
    while (count-- > 0) {
        free(strings[count][0]);
        free(strings[count][1]);
    }
}

static void pane_on_description(struct pane *pane, struct pane_call *call,
                                const struct gb_json *result, const struct gb_call_error *error)
{
    char signature[GB_DESCRIPTION_MAX + 1] = "", summary[GB_DESCRIPTION_MAX + 1] = "";
    struct gb_description_info told;

    if (!prompt_is_attached(pane))
        return;
    if (error == NULL) {
        gb_object_take(&gb_description_object, result, &told);
        json_copy_text(told.signature, signature, sizeof(signature));
        json_copy_text(told.summary, summary, sizeof(summary));
    }
    prompt_description(call->question, signature, summary);
}

static void pane_ask_description(void *arg, uint64_t question, const char *text)
{
    struct pane *pane = arg;
    struct gb_buf params = {0};
    struct gb_json_out out;

    if (!uplink_is_up(pane->uplink)) { /* not a word about what was not asked for */
        prompt_description(question, NULL, NULL);
        return;
    }
    out = pane_begin_params(pane, &params);
    gb_json_put_str(&out, "code", text);
    gb_json_end(&out);
    if (pane_call_server(pane, "session.describe", &params, KEY_DEADLINE_MS, question,
                         pane_on_description) == 0)
        prompt_description(question, NULL, NULL);
}

static void pane_ask_matches(void *arg, uint64_t question, const char *text, size_t cursor)
{
    struct pane *pane = arg;
    struct gb_buf params = {0};
    struct gb_json_out out = pane_begin_params(pane, &params);

    if (pane->input) {
        gb_buf_release(&params);
        return;
    }
    gb_json_put_str(&out, "code", text);
    gb_json_put_u64(&out, "cursor", cursor);
    gb_json_end(&out);
    (void)pane_call_server(pane, "session.complete", &params, KEY_DEADLINE_MS, question,
                           pane_on_matches);
}

static bool pane_on_submit(void *arg, const char *text)
{
    struct pane *pane = arg;

    return pane->input ? pane_send_input(pane, text, false) : pane_run(pane, text);
}

static void pane_on_eof(void *arg)
{
    struct pane *pane = arg;

    if (pane->input)
        (void)pane_send_input(pane, "", true);
    else
        tui_command(pane->tui, "leave");
}

static void pane_on_edit(void *arg, const char *text)
{
    pane_edit(arg, text);
}

/* ---- $EDITOR ---- */

static const char *pane_ending_of(const struct pane *pane)
{
    const struct gb_language *language = pane->cells->language;

    return language != NULL && language->endings.count > 0 ? language->endings.list[0] : ".txt";
}

void pane_edit(struct pane *pane, const char *text)
{
    struct gb_buf edited = {0};
    struct gb_err err = {0};
    char *path = NULL;
    int status = -1;

    if (outside_write(text, pane_ending_of(pane), &path, &err) == 0)
        status = tui_edit(pane->tui, path);
    if (path != NULL && outside_read(path, PROMPT_TEXT_MAX, &edited, &err) == 0 && status == 0) {
        pane_focus(pane, true);
        prompt_set_text("");
        (void)prompt_paste(gb_buf_bytes(&edited));
    } else if (err.code != GB_OK) {
        tui_say(pane->tui, MESSAGE_ERROR, "nothing was changed: %s", err.message);
    } else if (status < 0) {
        tui_say(pane->tui, MESSAGE_ERROR, "the editor cannot be started");
    } else {
        tui_say(pane->tui, MESSAGE_WARNING, "the editor ended with status %d: nothing was changed",
                status);
    }
    gb_buf_release(&edited);
    free(path);
    tui_redraw(pane->tui);
}

/* ---- life ---- */

void pane_init(struct pane *pane, struct uplink *uplink, struct cells *cells, const char *session)
{
    *pane = (struct pane){.tui = uplink_tui(uplink), .uplink = uplink, .cells = cells};
    (void)snprintf(pane->session, sizeof(pane->session), "%s", session);
    gb_list_init(&pane->calls);
    pane->deadline = gb_timer_new(tui_loop(pane->tui), pane_on_deadline, pane);
}

void pane_release(struct pane *pane)
{
    struct pane_call *call;

    prompt_detach(pane);
    GB_LIST_FOREACH(call, &pane->calls, link) {
        uplink_forget(pane->uplink, call->call);
        gb_list_remove(&call->link);
        free(call);
    }
    gb_timer_free(pane->deadline);
    prompt_draft_release(&pane->draft);
    prompt_draft_release(&pane->input_draft);
}

static void pane_attach(struct pane *pane)
{
    static const struct prompt_hooks hooks = {
        .ask_complete = pane_ask_complete,
        .ask_matches = pane_ask_matches,
        .ask_description = pane_ask_description,
        .submit = pane_on_submit,
        .eof = pane_on_eof,
        .edit = pane_on_edit,
    };

    const struct gb_language *language =
        pane->cells->language != NULL ? pane->cells->language : &gb_language_unknown;

    /* Input to programs (perhaps a password) is never stored in a file. */
    prompt_attach(&hooks, pane, pane->input ? "" : pane->language, language->prompt.indent,
                  pane->input ? &pane->input_draft : &pane->draft);
}

void pane_learn(struct pane *pane, const char *language)
{
    (void)snprintf(pane->language, sizeof(pane->language), "%s", language);
    if (!prompt_is_attached(pane))
        return;
    prompt_detach(pane);
    pane_attach(pane);
}

void pane_focus(struct pane *pane, bool focused)
{
    if (focused == pane->focused && focused == prompt_is_attached(pane))
        return;
    pane->focused = focused;
    if (focused)
        pane_attach(pane);
    else
        prompt_detach(pane);
}

void pane_set_input(struct pane *pane, bool input)
{
    if (pane->input == input)
        return;
    if (prompt_is_attached(pane)) {
        prompt_detach(pane);
        pane->input = input;
        pane_attach(pane);
    }
    pane->input = input;
}

bool pane_event(struct pane *pane, const struct input_event *event)
{
    if (!prompt_is_attached(pane))
        return false;
    if (event->kind == INPUT_PASTE) {
        if (!prompt_paste(event->bytes))
            tui_say(pane->tui, MESSAGE_ERROR, "too long: a cell has at most %d KiB",
                    PROMPT_TEXT_MAX >> 10);
    } else if (event->kind == INPUT_KEY) {
        prompt_key(event->bytes);
    } else {
        return false;
    }
    return true;
}

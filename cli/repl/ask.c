/* SPDX-License-Identifier: Apache-2.0 */
/* Queries to the guest about what is being typed: is the cell complete, what are the completions,
 * and what is the selected one?
 * Our own commands are handled without it. */
#include <string.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "editor/complete.h"
#include "editor/edit.h"
#include "editor/prompt.h"
#include "model/answer.h"
#include "repl/console.h"
#include "repl/internal.h"
#include "rpc/access.h"
#include "rpc/object.h"

enum { PIPE_DEADLINE_MS = 30000 /* when no person is waiting */, INDENT_MAX = 256 };

static const size_t no_cursor = SIZE_MAX;

/* Returns the number of the call. */
static uint64_t ask_guest(struct repl *repl, const char *method, const char *text, size_t cursor,
                          uint64_t deadline_ms, gb_reply_cb *reply, void *arg)
{
    struct gb_buf params = {0};
    struct gb_json_out out = {.buf = &params};
    uint64_t call;

    gb_json_object(&out, NULL);
    gb_json_put_str(&out, "session", repl->session);
    gb_json_put_str(&out, "code", text);
    if (cursor != no_cursor)
        gb_json_put_u64(&out, "cursor", cursor);
    gb_json_end(&out);
    call = gb_client_call(repl->app->client, method, &params, deadline_ms, reply, arg);
    gb_buf_release(&params);
    return call;
}

bool repl_is_farewell(const char *text)
{
    static const char *const words[] = {"exit", "exit()", "quit", "quit()", ".exit"};

    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (strcmp(text, words[i]) == 0)
            return true;
    return false;
}

static bool ask_says_complete(const struct gb_json *result, struct gb_whole_info *ret_whole)
{
    gb_object_take(&gb_whole_object, result, ret_whole);
    return ret_whole->status != GB_INCOMPLETE;
}

/* ---- waited for ---- */

struct ask {
    bool done, failed, complete;
};

static void ask_on_answer(void *arg, const struct gb_json *result,
                          const struct gb_call_error *error)
{
    struct gb_whole_info whole;
    struct ask *ask = arg;

    ask->done = true;
    ask->failed = error != NULL;
    if (error == NULL)
        ask->complete = ask_says_complete(result, &whole);
}

bool repl_is_complete(struct repl *repl, const char *text)
{
    struct ask ask = {.complete = true};
    unsigned interrupts = repl->interrupts;
    uint64_t call;

    if (repl_is_command(text) || repl_is_farewell(text))
        return true;
    call = ask_guest(repl, "session.is_complete", text, no_cursor, PIPE_DEADLINE_MS, ask_on_answer,
                     &ask);
    while (!ask.done && !repl->stopped && repl->interrupts == interrupts)
        app_turn(repl->app);
    if (!ask.done)
        gb_client_forget(repl->app->client, call);
    if (ask.failed) /* the guest is busy: guess without it */
        return prompt_looks_complete(gb_bytes_str(text), repl->known->prompt.indent, NULL);
    return ask.complete;
}

/* ---- for the console ---- */

static void ask_on_completeness(void *arg, const struct gb_json *result,
                                const struct gb_call_error *error)
{
    struct repl *repl = arg;
    struct gb_whole_info whole;
    char *indent;

    repl->ask_complete.call = 0;
    if (error != NULL) {
        prompt_expired(); /* guess without the guest */
    } else {
        bool complete = ask_says_complete(result, &whole);

        indent =
            xstrndup((const char *)whole.indent.data, MIN(whole.indent.size, (size_t)INDENT_MAX));
        prompt_completeness(repl->ask_complete.question, complete, indent);
        free(indent);
    }
    console_answered(repl->console);
}

static void ask_send_completeness(struct repl *repl, const char *text)
{
    repl->ask_complete.call = ask_guest(repl, "session.is_complete", text, no_cursor,
                                        REPL_KEY_DEADLINE_MS, ask_on_completeness, repl);
}

/* Until there is a session. */
static void ask_keep(char **kept, const char *text)
{
    free(*kept);
    *kept = xstrdup(text);
}

bool repl_ask_if_complete(void *arg, uint64_t question, const char *text)
{
    struct repl *repl = arg;

    if (repl_is_command(text) || repl_is_farewell(text))
        return true;
    if (repl->ask_complete.call != 0)
        gb_client_forget(repl->app->client, repl->ask_complete.call);
    repl->ask_complete.question = question;
    if (repl->session == NULL)
        ask_keep(&repl->ask_complete.text, text);
    else
        ask_send_completeness(repl, text);
    return false;
}

/* Collects matches. */
struct matches {
    struct prompt_match list[PROMPT_MATCHES_MAX];
    char *texts[PROMPT_MATCHES_MAX], *kinds[PROMPT_MATCHES_MAX];
    size_t count;
    const char *word; /* only those with this prefix; NULL: all */
};

static void matches_add(struct matches *matches, struct gb_bytes text, struct gb_bytes kind)
{
    struct gb_buf safe = {0}, safe_kind = {0};
    size_t i = matches->count;

    gb_escape(&safe, text, GB_MATCH_TEXT_MAX);
    gb_escape(&safe_kind, kind, 32);
    if (i < PROMPT_MATCHES_MAX && text.size > 0 && safe.size == text.size) {
        matches->texts[i] = xstrdup(gb_buf_str(&safe));
        matches->kinds[i] = xstrdup(gb_buf_str(&safe_kind));
        matches->list[i] = (struct prompt_match){matches->texts[i], matches->kinds[i]};
        matches->count++;
    } /* otherwise not a possible name */
    gb_buf_release(&safe);
    gb_buf_release(&safe_kind);
}

static void matches_release(struct matches *matches)
{
    while (matches->count-- > 0) {
        free(matches->texts[matches->count]);
        free(matches->kinds[matches->count]);
    }
}

static void matches_on_word(void *arg, const char *word)
{
    struct matches *matches = arg;

    if (strncmp(word, matches->word, strlen(matches->word)) == 0)
        matches_add(matches, gb_bytes_str(word), gb_bytes_str(""));
}

/* Completes the command itself, or local file names. */
static void ask_command_matches(uint64_t question, const char *text, size_t cursor)
{
    struct matches matches = {0};
    size_t end = edit_offset(text, cursor), begin = end;
    _cleanup_(freep) char *word = NULL;

    while (begin > 0 && strchr(" \t\"'", text[begin - 1]) == NULL)
        begin--;
    word = xstrndup(text + begin, end - begin);
    matches.word = word;
    if (begin == 0)
        repl_command_names(matches_on_word, &matches);
    else
        edit_files(word, matches_on_word, &matches);
    prompt_matches(question, matches.list, matches.count, edit_points(text, begin));
    matches_release(&matches);
}

static void ask_on_matches(void *arg, const struct gb_json *result,
                           const struct gb_call_error *error)
{
    struct repl *repl = arg;
    struct matches matches = {0};
    struct gb_matches_info told;
    struct gb_match_info match;

    repl->ask_matches.call = 0;
    if (error != NULL)
        return;
    gb_object_take(&gb_matches_object, result, &told);
    for (size_t at = 0; gb_items_next(&gb_match_object, &told.matches, &at, &match) == 1;)
        matches_add(&matches, match.text, match.type);
    prompt_matches(repl->ask_matches.question, matches.list, matches.count, told.start);
    matches_release(&matches);
    console_answered(repl->console);
}

static void ask_send_matches(struct repl *repl, const char *text, size_t cursor)
{
    repl->ask_matches.call = ask_guest(repl, "session.complete", text, cursor, REPL_KEY_DEADLINE_MS,
                                       ask_on_matches, repl);
}

void repl_ask_matches(void *arg, uint64_t question, const char *text, size_t cursor)
{
    struct repl *repl = arg;

    if (repl_is_command(text) || strcmp(text, ":") == 0) {
        ask_command_matches(question, text, cursor);
        return;
    }
    if (repl->ask_matches.call != 0)
        gb_client_forget(repl->app->client, repl->ask_matches.call);
    repl->ask_matches.question = question;
    if (repl->session == NULL) {
        ask_keep(&repl->ask_matches.text, text);
        repl->ask_matches.cursor = cursor;
    } else {
        ask_send_matches(repl, text, cursor);
    }
}

/* Whatever a guest says: the painter shows control characters as such. NULL: nothing. */
static char *ask_copy(struct gb_bytes text)
{
    return text.size == 0
               ? NULL
               : xstrndup((const char *)text.data, MIN(text.size, (size_t)GB_DESCRIPTION_MAX));
}

static void ask_on_description(void *arg, const struct gb_json *result,
                               const struct gb_call_error *error)
{
    struct repl *repl = arg;
    struct gb_description_info told = {0};
    _cleanup_(freep) char *signature = NULL, *summary = NULL;

    repl->ask_description.call = 0;
    if (error == NULL)
        gb_object_take(&gb_description_object, result, &told);
    signature = ask_copy(told.signature);
    summary = ask_copy(told.summary);
    prompt_description(repl->ask_description.question, signature, summary);
    console_answered(repl->console);
}

void repl_ask_description(void *arg, uint64_t question, const char *text)
{
    struct repl *repl = arg;

    if (repl_is_command(text) || repl->session == NULL) {
        prompt_description(question, NULL, NULL);
        return;
    }
    if (repl->ask_description.call != 0)
        gb_client_forget(repl->app->client, repl->ask_description.call);
    repl->ask_description.question = question;
    repl->ask_description.call = ask_guest(repl, "session.describe", text, no_cursor,
                                           REPL_KEY_DEADLINE_MS, ask_on_description, repl);
}

void repl_send_asks(struct repl *repl)
{
    _cleanup_(freep) char *complete = TAKE_PTR(repl->ask_complete.text);
    _cleanup_(freep) char *matches = TAKE_PTR(repl->ask_matches.text);

    if (complete != NULL)
        ask_send_completeness(repl, complete);
    if (matches != NULL)
        ask_send_matches(repl, matches, repl->ask_matches.cursor);
    if (repl->tty && complete == NULL && matches == NULL)
        (void)ask_guest(repl, "session.is_complete", "x", no_cursor, PIPE_DEADLINE_MS, NULL, NULL);
}

void repl_forget_asks(struct repl *repl)
{
    if (repl->ask_complete.call != 0)
        gb_client_forget(repl->app->client, repl->ask_complete.call);
    if (repl->ask_matches.call != 0)
        gb_client_forget(repl->app->client, repl->ask_matches.call);
    if (repl->ask_description.call != 0)
        gb_client_forget(repl->app->client, repl->ask_description.call);
    repl->ask_complete.call = repl->ask_matches.call = repl->ask_description.call = 0;
    free(TAKE_PTR(repl->ask_complete.text));
    free(TAKE_PTR(repl->ask_matches.text));
}

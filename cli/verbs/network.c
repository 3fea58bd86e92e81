/* SPDX-License-Identifier: Apache-2.0 */
/* glassbell network: shows or changes what a session may reach, and answers its questions. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "cli/app.h"
#include "cli/params.h"
#include "cli/print.h"
#include "model/network.h"
#include "rpc/access.h"
#include "rpc/object.h"
#include "verbs/options.h"
#include "verbs/verbs.h"

enum { NETWORK_DEADLINE_MS = 30000 };

/* ---- questions ---- */

/* "[cell] host:port" */
static void network_put_question(struct gb_buf *to, const struct gb_question_info *question)
{
    if (question->cell > 0)
        gb_buf_addf(to, "[%u] ", question->cell);
    gb_escape(to, question->name.size > 0 ? question->name : question->address,
              GB_NETWORK_HOST_MAX);
    gb_buf_addf(to, ":%u", question->port);
}

/* What an answer is about, and what it is. */
struct network_choice {
    const char *host;
    double port;
    bool allow, once, always;
    uint64_t question; /* 0: nothing is asked about that */
};

static void network_find_question(void *arg, const struct gb_json *result)
{
    struct network_choice *choice = arg;
    struct gb_question_info question;
    struct gb_network_info info;

    gb_object_take(&gb_network_object, result, &info);
    for (size_t at = 0; gb_items_next(&gb_question_object, &info.questions, &at, &question) == 1;) {
        struct gb_bytes host = question.name.size > 0 ? question.name : question.address;

        if (gb_bytes_equal(host, choice->host) && question.port == choice->port)
            choice->question = question.question;
    }
}

/* `allow HOST :PORT` and the like, without anything else. */
static bool network_is_choice(const struct args *args, struct network_choice *ret_choice)
{
    size_t first = args->word_count > 2 && strcmp(args->words[2], "ip") == 0 ? 3 : 2;

    if (strcmp(args->words[1], "ask") == 0 || args->word_count != first + 2 ||
        args->words[first + 1][0] != ':' ||
        !args_number(args->words[first + 1] + 1, 1, UINT16_MAX, &ret_choice->port))
        return false;
    ret_choice->host = args->words[first];
    ret_choice->allow = strcmp(args->words[1], "allow") == 0;
    return true;
}

static bool network_send_answer(struct app *app, const char *session,
                                const struct network_choice *choice)
{
    const enum gb_network_answer allowed = choice->always ? GB_ANSWER_ALWAYS : GB_ANSWER_SESSION;
    const enum gb_network_answer answer = choice->allow
                                              ? (choice->once ? GB_ANSWER_ONCE : allowed)
                                              : (choice->once ? GB_ANSWER_REFUSE : GB_ANSWER_NEVER);
    _cleanup_(gb_buf_release) struct gb_buf params = {0};
    struct gb_json_out out = {.buf = &params};

    gb_json_object(&out, NULL);
    gb_json_put_str(&out, "session", session);
    gb_json_put_u64(&out, "question", choice->question);
    gb_json_put_str(&out, "answer", gb_network_answer_to_string(answer));
    gb_json_end(&out);
    return app_call(app, "session.network_answer", &params, NETWORK_DEADLINE_MS, NULL, NULL);
}

/* ---- following ---- */

struct network_following {
    struct app app;
    bool over, good;
};

static void network_say(struct network_following *following, struct gb_buf *line)
{
    if (printf("%s\n", gb_buf_str(line)) < 0 || fflush(stdout) != 0)
        following->over = true; /* nobody reads any more */
}

static void network_say_question(struct network_following *following, const struct gb_json *json,
                                 struct gb_bytes answer)
{
    _cleanup_(gb_buf_release) struct gb_buf line = {0};
    struct gb_question_info question;

    if (json == NULL || gb_object_read(&gb_question_object, json, &question, NULL) < 0)
        return;
    gb_buf_adds(&line, "? ");
    network_put_question(&line, &question);
    if (answer.size > 0) {
        gb_buf_adds(&line, " ");
        gb_escape(&line, answer, GB_NETWORK_REASON_MAX);
    }
    network_say(following, &line);
}

static void network_on_event(void *arg, const char *method, const struct gb_json *event)
{
    struct network_following *following = arg;
    struct gb_bytes kind;

    if (strcmp(method, "event") != 0 || event == NULL)
        return;
    kind = json_text(event, "kind");
    if (gb_bytes_equal(kind, "session.closed")) {
        following->over = true;
    } else if (gb_bytes_equal(kind, "network.question") ||
               gb_bytes_equal(kind, "network.answered")) {
        network_say_question(following, json_member(event, "info"), json_text(event, "answer"));
    } else if (gb_bytes_equal(kind, "snapshot")) {
        const struct gb_json *list = json_array(event, "questions"), *one = NULL;

        JSON_FOREACH(one, list)
            network_say_question(following, one, (struct gb_bytes){0});
    }
}

static void network_on_closed(void *arg, const struct gb_err *why)
{
    struct network_following *following = arg;

    if (!following->over)
        app_say_err(why);
    following->good = following->over;
    following->over = true;
}

/* While it runs, somebody sees what is asked. */
static bool network_follow(const struct args *args)
{
    static const char *const kinds[] = {"network.question", "network.answered", "session.closed"};
    struct network_following following = {.good = true};
    _cleanup_(gb_buf_release) struct gb_buf params = {0}, line = {0};
    struct gb_json_out out = {.buf = &params};
    _cleanup_(freep) char *session = NULL;

    app_open(&following.app, args);
    session = app_find_session(&following.app, args->words[0]);
    following.good = session != NULL;
    if (following.good) {
        following.app.events = (struct gb_client_events){network_on_event, network_on_closed};
        following.app.arg = &following;
        gb_json_object(&out, NULL);
        gb_json_array(&out, "sessions");
        gb_json_put_str(&out, NULL, session);
        gb_json_end(&out);
        gb_json_array(&out, "kinds");
        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
            gb_json_put_str(&out, NULL, kinds[i]);
        gb_json_end(&out);
        gb_json_put_bool(&out, "answers", true);
        gb_json_end(&out);
        gb_buf_addf(&line, "# answer with: glassbell network %s (allow | deny) HOST :PORT [--once]",
                    args->words[0]);
        network_say(&following, &line);
        following.good =
            app_call(&following.app, "events.subscribe", &params, NETWORK_DEADLINE_MS, NULL, NULL);
    }
    while (following.good && !following.over)
        app_turn(&following.app);
    following.over = true;
    app_close(&following.app);
    return following.good;
}

/* ---- rules ---- */

/* The rules first, in file syntax; then what happened under them. */
static void network_print(void *arg, const struct gb_json *result)
{
    const struct args *args = arg;
    struct gb_question_info question;
    struct gb_network_info info;

    if (args_has(args, "json")) {
        print_json(result);
        return;
    }
    gb_object_take(&gb_network_object, result, &info);
    (void)printf("# %.*s: %" PRIu32 " open of %" PRIu64 " connections, %" PRIu64 " denied, %" PRIu64
                 " bytes in, %" PRIu64 " out\n%.*s",
                 (int)info.network.size, (const char *)info.network.data, info.open, info.opened,
                 info.denied, info.received, info.sent, (int)info.rules.size,
                 (const char *)info.rules.data);
    if (info.secrets.size > 0)
        (void)printf("# secrets: %.*s\n", (int)info.secrets.size, (const char *)info.secrets.data);
    for (size_t at = 0; gb_items_next(&gb_question_object, &info.questions, &at, &question) == 1;) {
        _cleanup_(gb_buf_release) struct gb_buf line = {0};

        network_put_question(&line, &question);
        (void)printf("# ? %s\n", gb_buf_str(&line));
    }
}

/* `allow`, `ask` or `deny`, followed by the words of the rule. */
static void network_put_rule(const struct args *args, struct gb_json_out *out)
{
    _cleanup_(gb_buf_release) struct gb_buf rule = {0};

    for (size_t i = 1; i < args->word_count; i++)
        gb_buf_addf(&rule, "%s%s", i > 1 ? " " : "", args->words[i]);
    gb_json_array(out, "rules");
    gb_json_put(out, NULL, gb_buf_bytes(&rule));
    gb_json_end(out);
}

static bool network_put_change(const struct args *args, const char *session, struct gb_buf *params)
{
    struct gb_json_out out = {.buf = params};
    bool good;

    gb_json_object(&out, NULL);
    gb_json_put_str(&out, "session", session);
    if (args->word_count > 1)
        network_put_rule(args, &out);
    good = params_put_network(args, &out);
    gb_json_end(&out);
    return good;
}

/* Answers the question that the words are about, if there is one. */
static bool network_answer(struct app *app, const struct args *args, const char *session,
                           bool *ret_answered)
{
    struct network_choice choice = {.once = args_has(args, "once"),
                                    .always = args_has(args, "always")};
    const bool needs = choice.once || choice.always; /* a question */

    *ret_answered = false;
    if (args->word_count < 2 || (!network_is_choice(args, &choice) && !needs))
        return true;
    if (choice.host != NULL && !app_call_on(app, "session.network", session, NETWORK_DEADLINE_MS,
                                            network_find_question, &choice))
        return false;
    if (choice.question == 0 && needs) {
        app_say("there is no question about that: `glassbell network %s` shows the open ones",
                args->words[0]);
        return false;
    }
    *ret_answered = choice.question > 0;
    return choice.question == 0 || network_send_answer(app, session, &choice);
}

/* A usage error; NULL: none. */
static const char *network_complaint(const struct args *args)
{
    if (args->word_count == 0)
        return "which session? `glassbell ls` shows them";
    if (args->word_count > 1 && strcmp(args->words[1], "allow") != 0 &&
        strcmp(args->words[1], "deny") != 0 && strcmp(args->words[1], "ask") != 0)
        return "the argument after the session must be a rule: allow …, ask … or deny …";
    if (args->word_count > 1 && (args_has(args, "net") || args_has(args, "follow")))
        return "give only one of: a rule, --net, --follow";
    if (args_has(args, "once") && (args->word_count < 2 || strcmp(args->words[1], "ask") == 0))
        return "--once needs a rule: allow HOST :PORT";
    if (args_has(args, "always") &&
        (args->word_count < 2 || strcmp(args->words[1], "allow") != 0 || args_has(args, "once")))
        return "--always needs a rule that allows: allow HOST :PORT, without --once";
    return NULL;
}

static int network_run(const struct args *args)
{
    _cleanup_(gb_buf_release) struct gb_buf params = {0};
    const char *complaint = network_complaint(args);
    _cleanup_(freep) char *session = NULL;
    bool good, answered = false;
    struct app app;

    if (complaint != NULL)
        return app_wrong_use(args, "%s", complaint);
    if (args_has(args, "follow"))
        return network_follow(args) ? 0 : EXIT_GLASSBELL;
    app_open(&app, args);
    session = app_find_session(&app, args->words[0]);
    good = session != NULL && network_answer(&app, args, session, &answered);
    if (good && answered)
        good = app_call_on(&app, "session.network", session, NETWORK_DEADLINE_MS, network_print,
                           (void *)(uintptr_t)args);
    else if (good)
        good = network_put_change(args, session, &params) &&
               app_call(&app, "session.network", &params, NETWORK_DEADLINE_MS, network_print,
                        (void *)(uintptr_t)args);
    app_close(&app);
    return good ? 0 : EXIT_GLASSBELL;
}

static const struct option network_options[] = {
    OPTION_NET,
    {.name = "once",
     .kind = ARG_NONE,
     .help = "answer for HOST :PORT only for the connections that wait"},
    {.name = "always",
     .kind = ARG_NONE,
     .help =
         "answer for all connections to HOST :PORT, and write the rule into the [network] of the "
         "settings that the session was opened with"},
    {.letter = 'f',
     .name = "follow",
     .kind = ARG_NONE,
     .help = "show questions until the session ends; meanwhile questions can be asked"},
    OPTION_JSON,
    {0}};

const struct verb verb_network = {
    .name = "network",
    .summary = "show or change what a session may reach",
    .usage = "[options] SESSION [(allow | ask | deny) RULE…]",
    .options = network_options,
    .common = app_options,
    .words = ARG_SESSION,
    .examples = "  glassbell network work\n"
                "  glassbell network work allow example.com :443\n"
                "  glassbell network work allow example.com :443 --once\n"
                "  glassbell network work --follow\n"
                "  glassbell network work --net none\n",
    .run = network_run,
};

/* SPDX-License-Identifier: Apache-2.0 */
/* answer: gives a line to a program that waits for standard input, whoever started it. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/limits.h"
#include "base/mem.h"
#include "cli/app.h"
#include "rpc/access.h"
#include "show/filter.h"
#include "verbs/verbs.h"

enum { DEADLINE_MS = 30000 };

struct asked {
    bool waits;
    uint64_t cell;
    struct gb_buf prompt;
};

static void answer_keep_question(void *arg, const struct gb_json *session)
{
    const struct gb_json *waiting = json_member(session, "waiting");
    struct asked *asked = arg;

    asked->waits = waiting != NULL && waiting->type == GB_JSON_OBJECT;
    if (!asked->waits)
        return;
    asked->cell = json_count(waiting, "cell");
    if (!json_add_bytes(&asked->prompt, waiting, "prompt", "prompt_base64"))
        gb_buf_clear(&asked->prompt);
}

/* Shows the question to a person who is about to type the answer. */
static void answer_show_question(const struct asked *asked)
{
    struct filter filter = {0};
    struct gb_buf shown = {0};

    filter_add(&filter, &shown, gb_buf_bytes(&asked->prompt));
    filter_end(&filter, &shown);
    (void)gb_fd_write_full(STDERR_FILENO, gb_buf_data(&shown), shown.size);
    gb_buf_release(&shown);
}

/* Reads the answer from standard input: one line from a terminal, else everything. False: too long
 * or unreadable, which was reported. */
static bool answer_read_answer(struct gb_buf *to)
{
    bool terminal = isatty(STDIN_FILENO) == 1;

    for (;;) {
        uint8_t piece[4096];
        ssize_t n = read(STDIN_FILENO, piece, sizeof(piece));

        if (n < 0) {
            app_say("cannot read standard input");
            return false;
        }
        if (n == 0)
            return true;
        if (to->size + (size_t)n > GB_STDIN_MAX) {
            app_say("an answer can have at most %u bytes", (unsigned)GB_STDIN_MAX);
            return false;
        }
        gb_buf_add(to, piece, (size_t)n);
        if (terminal && piece[n - 1] == '\n')
            return true;
    }
}

static bool answer_send_answer(struct app *app, const char *session, const struct asked *asked,
                               struct gb_buf *text, bool eof)
{
    struct gb_buf params = {0};
    struct gb_json_out out = {.buf = &params};
    bool good;

    gb_json_object(&out, NULL);
    gb_json_put_str(&out, "session", session);
    gb_json_put_u64(&out, "cell", asked->cell);
    if (text->size > 0)
        gb_json_put_bytes(&out, "text", "base64", gb_buf_bytes(text));
    gb_json_put_bool(&out, "eof", eof);
    gb_json_end(&out);
    good = app_call(app, "session.stdin", &params, DEADLINE_MS, NULL, NULL);
    gb_buf_release(&params);
    return good;
}

/* The answer: the words, else standard input; if both are empty, --eof alone is enough. */
static bool answer_collect(const struct args *args, const struct asked *asked, struct gb_buf *text)
{
    bool eof = args_has(args, "eof");

    for (size_t i = 1; i < args->word_count; i++)
        gb_buf_addf(text, "%s%s", i > 1 ? " " : "", args->words[i]);
    if (args->word_count > 1) {
        gb_buf_adds(text, "\n");
        return true;
    }
    if (isatty(STDIN_FILENO) == 1) {
        if (eof)
            return true;
        answer_show_question(asked);
    }
    if (!answer_read_answer(text))
        return false;
    if (text->size == 0 && !eof) {
        app_say("there is no answer: give it as TEXT or on standard input, or --eof");
        return false;
    }
    /* A line is expected; with --eof the bytes are sent unchanged. */
    if (!eof && gb_buf_data(text)[text->size - 1] != '\n')
        gb_buf_adds(text, "\n");
    return true;
}

static int answer_run(const struct args *args)
{
    struct asked asked = {0};
    struct gb_buf text = {0};
    char *session;
    struct app app;
    bool good;

    if (args->word_count == 0)
        return app_wrong_use(args, "which session? `glassbell ls` shows them");
    app_open(&app, args);
    session = app_find_session(&app, args->words[0]);
    good = session != NULL &&
           app_call_on(&app, "session.get", session, DEADLINE_MS, answer_keep_question, &asked);
    if (good && !asked.waits) {
        app_say("no program of %s waits for input", args->words[0]);
        good = false;
    }
    good = good && answer_collect(args, &asked, &text) &&
           answer_send_answer(&app, session, &asked, &text, args_has(args, "eof"));
    app_close(&app);
    gb_buf_release(&text);
    gb_buf_release(&asked.prompt);
    free(session);
    return good ? 0 : EXIT_GLASSBELL;
}

static const struct option answer_options[] = {
    {.name = "eof", .kind = ARG_NONE, .help = "end its input, after TEXT if given"},
    {0},
};

const struct verb verb_answer = {
    .name = "answer",
    .summary = "send a line to a program that waits for input",
    .usage = "SESSION [options] [TEXT]",
    .options = answer_options,
    .common = app_options,
    .words = ARG_SESSION,
    .examples = "  glassbell answer work yes\n"
                "  glassbell answer work --eof <lines.txt\n",
    .run = answer_run,
};

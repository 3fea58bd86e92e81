/* SPDX-License-Identifier: Apache-2.0 */
/* glassbell fork: opens sessions that continue from a moment of another one, and prints their
 * ids. */
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "cli/app.h"
#include "cli/print.h"
#include "model/past.h"
#include "rpc/object.h"
#include "verbs/back.h"
#include "verbs/verbs.h"

enum { FORK_WAIT_MS = 60000, FORK_DEADLINE_MS = 600000, FORK_MESSAGE_MAX = 4096 };

struct forking {
    const struct args *args;
    bool failed; /* one of them */
};

static void fork_print(void *arg, const struct gb_json *result)
{
    struct forking *forking = arg;
    struct gb_forked_info forked;
    struct gb_fork_info child;
    size_t count = 0;

    gb_object_take(&gb_forked_object, result, &forked);
    if (args_has(forking->args, "json"))
        print_json(result);
    for (size_t at = 0; gb_items_next(&gb_fork_object, &forked.sessions, &at, &child) == 1;
         count++) {
        _cleanup_(gb_buf_release) struct gb_buf message = {0};

        if ((child.flags & GB_FORK_FAILED) == 0) {
            if (!args_has(forking->args, "json"))
                (void)printf("%.*s\n", (int)child.session.size, (const char *)child.session.data);
            continue;
        }
        forking->failed = true;
        gb_escape(&message, child.message, FORK_MESSAGE_MAX);
        app_say("%s (%s)", gb_buf_str(&message), gb_code_kind((enum gb_code)child.error));
    }
    if (count == 0) {
        forking->failed = true;
        app_say("the server opened no session, and gave no reason");
    }
}

/* Adds the number given with @option as @name. */
static bool fork_put_number(const struct args *args, struct gb_json_out *out, const char *option,
                            const char *name, double least, double most)
{
    double number;

    if (!args_has(args, option))
        return true;
    if (!args_number(args_value(args, option), least, most, &number) ||
        number != (double)(uint64_t)number) {
        (void)app_wrong_use(args, "--%s wants a number from %.0f to %.0f, not %s", option, least,
                            most, args_value(args, option));
        return false;
    }
    gb_json_put_u64(out, name, (uint64_t)number);
    return true;
}

static bool fork_put(const struct args *args, struct gb_json_out *out)
{
    return fork_put_number(args, out, "at", "cell", 0, UINT32_MAX) &&
           fork_put_number(args, out, "checkpoint", "seq", 1, UINT32_MAX) &&
           fork_put_number(args, out, "count", "count", 1, GB_FORKS_MAX);
}

static int fork_run(const struct args *args)
{
    struct forking forking = {.args = args};
    struct gb_buf params = {0};
    struct gb_json_out out = {.buf = &params};
    struct app app;
    char *session = NULL;
    int status = EXIT_USAGE;

    if (args->word_count != 1)
        return app_wrong_use(args, "which session? `glassbell ls` shows them");
    if (args_has(args, "at") && args_has(args, "checkpoint"))
        return app_wrong_use(args, "--at and --checkpoint exclude each other");
    gb_json_object(&out, NULL);
    if (fork_put(args, &out)) {
        status = EXIT_GLASSBELL;
        app_open(&app, args);
        session = app_find_session(&app, args->words[0]);
        gb_json_put_str(&out, "session", session);
        if (args_has(args, "label"))
            gb_json_put_str(&out, "label", args_value(args, "label"));
        gb_json_put_u64(&out, "wait_ms", FORK_WAIT_MS);
        gb_json_end(&out);
        if (session != NULL &&
            app_call(&app, "session.fork", &params, FORK_DEADLINE_MS, fork_print, &forking) &&
            !forking.failed)
            status = 0;
        app_close(&app);
    }
    free(session);
    gb_buf_release(&params);
    return status;
}

static const struct option fork_options[] = {
    {.letter = 'a',
     .name = "at",
     .value = "CELL",
     .kind = ARG_TEXT,
     .help = "from the state after this cell; default: the present state"},
    {.letter = 'c',
     .name = "checkpoint",
     .value = "NUMBER",
     .kind = ARG_TEXT,
     .help = "from this checkpoint"},
    {.letter = 'n', .name = "count", .value = "COUNT", .kind = ARG_TEXT, .help = "how many"},
    {.name = "label", .value = "TEXT", .kind = ARG_TEXT, .help = "their label"},
    OPTION_JSON_RESULT,
    {0},
};

const struct verb verb_fork = {
    .name = "fork",
    .summary = "open sessions that continue from a state of another one",
    .usage = "SESSION [-a CELL | -c NUMBER] [-n COUNT]",
    .options = fork_options,
    .common = app_options,
    .words = ARG_SESSION,
    .examples = "  glassbell fork work\n  glassbell fork work --at 3 -n 4\n",
    .run = fork_run,
};

/* SPDX-License-Identifier: Apache-2.0 */
/* glassbell close: closes sessions. */
#include "base/mem.h"
#include "cli/app.h"
#include "model/answer.h"
#include "model/session.h"
#include "rpc/object.h"
#include "verbs/sessions.h"
#include "verbs/verbs.h"

enum { DEADLINE_MS = 30000 };

struct ids {
    char **ids;
    size_t count;
};

static void close_collect_ids(void *arg, const struct gb_json *result)
{
    struct ids *ids = arg;
    struct gb_sessions_info list;
    struct gb_session_info session;

    gb_object_take(&gb_sessions_object, result, &list);
    ids->ids = xcalloc((size_t)gb_items_count(&list.sessions) + 1, sizeof(*ids->ids));
    for (size_t at = 0; gb_items_next(&gb_session_object, &list.sessions, &at, &session) == 1;)
        ids->ids[ids->count++] = xstrndup((const char *)session.id.data, session.id.size);
}

static bool close_all(struct app *app)
{
    struct ids ids = {0};
    bool good = app_call(app, "session.list", NULL, DEADLINE_MS, close_collect_ids, &ids);

    for (size_t i = 0; i < ids.count; i++) {
        good = app_call_on(app, "session.close", ids.ids[i], DEADLINE_MS, NULL, NULL) && good;
        free(ids.ids[i]);
    }
    free(ids.ids);
    return good;
}

static int close_run(const struct args *args)
{
    if (args->word_count == 0 && !args_has(args, "all"))
        return app_wrong_use(args, "which session? `glassbell ls` shows them");
    return sessions_call(args, args_has(args, "all") ? close_all : NULL, "session.close");
}

static const struct option close_options[] = {
    {.letter = 'a', .name = "all", .kind = ARG_NONE, .help = "all sessions of the server"},
    {0},
};

const struct verb verb_close = {
    .name = "close",
    .summary = "close sessions",
    .usage = "(SESSION… | --all)",
    .options = close_options,
    .common = app_options,
    .words = ARG_SESSION,
    .examples = "  glassbell close work\n",
    .run = close_run,
};

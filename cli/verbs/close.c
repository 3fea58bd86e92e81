/* SPDX-License-Identifier: Apache-2.0 */
/* glassbell close: ends sessions. */
#include "base/mem.h"
#include "cli/app.h"
#include "rpc/access.h"
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
    const struct gb_json *list = json_member(result, "sessions"), *session;

    if (list == NULL || list->type != GB_JSON_ARRAY)
        return;
    ids->ids = xcalloc((size_t)list->count + 1, sizeof(*ids->ids));
    session = gb_json_first(list);
    for (uint32_t i = 0; i < list->count; i++, session = gb_json_next(session)) {
        struct gb_bytes id = json_text(session, "session");

        ids->ids[ids->count++] = xstrndup((const char *)id.data, id.size);
    }
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
    {.letter = 'a', .name = "all", .kind = ARG_NONE, .help = "every session of the server"},
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

/* SPDX-License-Identifier: Apache-2.0 */
/* glassbell checkpoints: lists the moments to which a session can be rewound. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/log.h"
#include "cli/app.h"
#include "cli/print.h"
#include "model/past.h"
#include "rpc/access.h"
#include "rpc/object.h"
#include "show/words.h"
#include "verbs/back.h"
#include "verbs/verbs.h"

enum { CHECKPOINTS_DEADLINE_MS = 30000, NAME_SHOWN_MAX = 40, WHY_SHOWN_MAX = 300 };

struct listing {
    const struct args *args;
    uint64_t after;
    bool more;
    size_t lines;
};

static void checkpoints_print_one(const struct gb_checkpoint_info *one)
{
    _cleanup_(gb_buf_release) struct gb_buf name = {0};
    double now = (double)gb_clock_wall_ns() / (double)GB_NS_PER_S;
    char age[32], size[32], parent[32] = "-";

    words_age(age, sizeof(age), now - (double)one->at_ns / (double)GB_NS_PER_S);
    words_size(size, sizeof(size), (double)one->bytes);
    if (one->parent > 0)
        (void)snprintf(parent, sizeof(parent), "%" PRIu64, one->parent);
    gb_escape(&name, one->name, NAME_SHOWN_MAX);
    (void)printf("%c%6" PRIu64 "  %6s  %6" PRIu32 "  %8s  %8s  %s\n",
                 (one->flags & GB_CHECKPOINT_HERE) != 0 ? '>' : ' ', one->seq, parent, one->cell,
                 size, age, gb_buf_str(&name));
}

/* Why there is none of the present; nothing if there is one. */
static void checkpoints_print_missing(struct gb_bytes why)
{
    _cleanup_(gb_buf_release) struct gb_buf text = {0};

    gb_escape(&text, why, WHY_SHOWN_MAX);
    if (text.size > 0)
        (void)printf("none of this moment: %s\n", gb_buf_str(&text));
}

static void checkpoints_print(void *arg, const struct gb_json *result)
{
    struct listing *listing = arg;
    struct gb_checkpoints_info info;
    const struct gb_json *item = NULL;

    gb_object_take(&gb_checkpoints_object, result, &info);
    listing->more =
        (info.flags & GB_CHECKPOINTS_MORE) != 0 && gb_items_count(&info.checkpoints) > 0;
    JSON_FOREACH(item, info.checkpoints.json) {
        struct gb_checkpoint_info one;

        gb_object_take(&gb_checkpoint_object, item, &one);
        if (args_has(listing->args, "json"))
            print_json(item);
        else if (listing->lines++ == 0)
            (void)printf("%7s  %6s  %6s  %8s  %8s  %s\n", "NUMBER", "AFTER", "CELL", "SIZE", "AGE",
                         "NAME");
        if (!args_has(listing->args, "json"))
            checkpoints_print_one(&one);
        listing->after = one.seq;
    }
    if (!listing->more && !args_has(listing->args, "json"))
        checkpoints_print_missing(info.missing);
}

static bool checkpoints_call(struct app *app, const char *session, struct listing *listing)
{
    struct gb_buf params = {0};
    struct gb_json_out out = {.buf = &params};
    bool good;

    gb_json_object(&out, NULL);
    gb_json_put_str(&out, "session", session);
    gb_json_put_u64(&out, "after", listing->after);
    gb_json_end(&out);
    listing->more = false;
    good = app_call(app, "session.checkpoints", &params, CHECKPOINTS_DEADLINE_MS, checkpoints_print,
                    listing);
    gb_buf_release(&params);
    return good;
}

static int checkpoints_run(const struct args *args)
{
    struct app app;
    struct listing listing = {.args = args, .more = true};
    char *session;
    bool good;

    if (args->word_count != 1)
        return app_wrong_use(args, "which session? `glassbell ls` shows them");
    app_open(&app, args);
    session = app_find_session(&app, args->words[0]);
    good = session != NULL;
    while (good && listing.more)
        good = checkpoints_call(&app, session, &listing);
    free(session);
    app_close(&app);
    return good ? 0 : EXIT_GLASSBELL;
}

static const struct option checkpoints_options[] = {
    {.name = "json", .kind = ARG_NONE, .help = "as JSON, one per line"},
    {0},
};

const struct verb verb_checkpoints = {
    .name = "checkpoints",
    .summary = "list the checkpoints of a session",
    .usage = "SESSION",
    .options = checkpoints_options,
    .common = app_options,
    .words = ARG_SESSION,
    .examples = "  glassbell checkpoints work\n",
    .run = checkpoints_run,
};

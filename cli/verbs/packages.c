/* SPDX-License-Identifier: Apache-2.0 */
/* glassbell packages: those that are kept on disk. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/log.h"
#include "cli/app.h"
#include "cli/print.h"
#include "model/layer.h"
#include "rpc/access.h"
#include "rpc/object.h"
#include "verbs/verbs.h"

enum { PACKAGES_DEADLINE_MS = 30000, PACKAGES_SHOWN_MAX = 400, KEY_SHOWN = 12 };

/* Names and versions, without digests, in one line. */
static void packages_put_contents(struct gb_buf *to, struct gb_bytes contents)
{
    struct gb_bytes line;
    bool first = true;

    while (gb_bytes_line(&contents, &line)) {
        const uint8_t *space = memchr(line.data, ' ', line.size);

        if (space != NULL)
            line.size = (size_t)(space - line.data);
        gb_buf_adds(to, first ? "" : " ");
        gb_escape(to, line, PACKAGES_SHOWN_MAX);
        first = false;
    }
}

static void packages_print_one(const struct gb_layer_info *layer)
{
    struct gb_buf line = {0};

    gb_escape(&line, layer->key, PACKAGES_SHOWN_MAX);
    gb_buf_adds(&line, "  ");
    gb_escape(&line, layer->image, PACKAGES_SHOWN_MAX);
    gb_buf_addf(&line, "  %" PRIu64 " KiB  ", layer->bytes >> 10);
    packages_put_contents(&line, layer->contents);
    (void)puts(gb_buf_str(&line));
    gb_buf_release(&line);
}

struct packages_listing {
    const struct args *args;
    char after[GB_NAME_MAX + 1]; /* "": from the first on */
    bool more;
};

static void packages_print(void *arg, const struct gb_json *result)
{
    struct packages_listing *listing = arg;
    const bool as_json = args_has(listing->args, "json");
    const struct gb_json *one = NULL;

    listing->more = json_true(result, "more");
    JSON_FOREACH(one, json_array(result, "layers")) {
        struct gb_layer_info layer;

        gb_object_take(&gb_layer_object, one, &layer);
        if (as_json)
            print_json(one);
        else
            packages_print_one(&layer);
        json_copy_text(layer.key, listing->after, sizeof(listing->after));
    }
}

static bool packages_list(struct app *app, const struct args *args)
{
    struct packages_listing listing = {.args = args, .more = true};
    bool good = true;

    while (good && listing.more) {
        struct gb_buf params = {0};
        struct gb_json_out out = {.buf = &params};
        char before[sizeof(listing.after)];

        memcpy(before, listing.after, sizeof(before));
        gb_json_object(&out, NULL);
        if (before[0] != '\0')
            gb_json_put_str(&out, "after", before);
        gb_json_end(&out);
        good =
            app_call(app, "packages.list", &params, PACKAGES_DEADLINE_MS, packages_print, &listing);
        listing.more = listing.more && strcmp(listing.after, before) > 0; /* it says how to go on */
        gb_buf_release(&params);
    }
    return good;
}

static bool packages_remove(struct app *app, const char *name)
{
    struct gb_buf params = {0};
    struct gb_json_out out = {.buf = &params};
    bool good;

    gb_json_object(&out, NULL);
    gb_json_put_str(&out, "name", name);
    gb_json_end(&out);
    good = app_call(app, "packages.remove", &params, PACKAGES_DEADLINE_MS, NULL, NULL);
    gb_buf_release(&params);
    return good;
}

static int packages_run(const struct args *args)
{
    const bool removes = args->word_count > 1 && strcmp(args->words[0], "remove") == 0;
    struct app app;
    bool good = true;

    if (!removes &&
        (args->word_count > 1 || (args->word_count == 1 && strcmp(args->words[0], "list") != 0)))
        return app_wrong_use(args, "packages can `list` and `remove NAME...`");
    app_open(&app, args);
    if (!removes)
        good = packages_list(&app, args);
    for (size_t i = 1; i < args->word_count && removes && good; i++)
        good = packages_remove(&app, args->words[i]);
    app_close(&app);
    return good ? 0 : EXIT_GLASSBELL;
}

static const struct option packages_options[] = {
    {.name = "json", .kind = ARG_NONE, .help = "as JSON, one per line"},
    {0},
};

const struct verb verb_packages = {
    .name = "packages",
    .summary = "list or remove packages that are kept for sessions",
    .usage = "[list | remove NAME...]",
    .options = packages_options,
    .common = app_options,
    .words = ARG_NONE,
    .examples = "  glassbell run --packages tabulate report.py\n"
                "  glassbell packages\n"
                "  glassbell packages remove 0123456789abcdef0123456789abcdef\n",
    .run = packages_run,
};

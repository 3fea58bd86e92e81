/* SPDX-License-Identifier: Apache-2.0 */
/* glassbell packages: those that are kept on disk. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "cli/app.h"
#include "cli/print.h"
#include "model/layer.h"
#include "rpc/object.h"
#include "verbs/options.h"
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

static void packages_print(void *arg, const struct gb_json *result)
{
    const struct args *args = arg;
    struct gb_layers_info list;
    struct gb_layer_info layer;
    size_t at = 0;

    if (args_has(args, "json")) {
        print_json(result);
        return;
    }
    gb_object_take(&gb_layers_object, result, &list);
    while (gb_items_next(&gb_layer_object, &list.layers, &at, &layer) == 1) {
        struct gb_buf line = {0};

        gb_escape(&line, layer.key, PACKAGES_SHOWN_MAX);
        gb_buf_adds(&line, "  ");
        gb_escape(&line, layer.image, PACKAGES_SHOWN_MAX);
        gb_buf_addf(&line, "  %" PRIu64 " KiB  ", layer.bytes >> 10);
        packages_put_contents(&line, layer.contents);
        (void)puts(gb_buf_str(&line));
        gb_buf_release(&line);
    }
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
        good = app_call(&app, "packages.list", NULL, PACKAGES_DEADLINE_MS, packages_print,
                        (void *)(uintptr_t)args);
    for (size_t i = 1; i < args->word_count && removes && good; i++)
        good = packages_remove(&app, args->words[i]);
    app_close(&app);
    return good ? 0 : EXIT_GLASSBELL;
}

static const struct option packages_options[] = {OPTION_JSON, {0}};

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

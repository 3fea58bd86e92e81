/* SPDX-License-Identifier: Apache-2.0 */
/* glassbell open: opens a session and prints its id. */
#include <stdio.h>

#include "base/mem.h"
#include "cli/app.h"
#include "cli/params.h"
#include "cli/print.h"
#include "model/answer.h"
#include "rpc/object.h"
#include "verbs/options.h"
#include "verbs/verbs.h"

static bool open_put_seconds(const struct args *args, struct gb_json_out *out, const char *option,
                             const char *name)
{
    const char *text = args_value(args, option);
    double seconds;

    if (text == NULL)
        return true;
    if (!args_number(text, 0, 31622400, &seconds)) {
        app_say("--%s wants seconds, not %s", option, text);
        return false;
    }
    gb_json_put_u64(out, name, (uint64_t)(seconds * 1000));
    return true;
}

static void open_print_opened(void *arg, const struct gb_json *result)
{
    const struct args *args = arg;
    struct gb_opened_info opened;

    gb_object_take(&gb_opened_object, result, &opened);
    if (args_has(args, "json"))
        print_json(result);
    else
        (void)printf("%.*s\n", (int)opened.session.size, (const char *)opened.session.data);
}

static int open_run(const struct args *args)
{
    const char *image;
    struct gb_buf params = {0};
    struct gb_json_out out = {.buf = &params};
    struct app app;
    int status = EXIT_GLASSBELL;

    if (args->word_count > 0)
        return app_wrong_use(
            args, "open takes options only: --image chooses the image, --label or --key names "
                  "the session");
    gb_json_object(&out, NULL);
    if (args_has(args, "key"))
        gb_json_put_str(&out, "key", args_value(args, "key"));
    if (args_has(args, "label"))
        gb_json_put_str(&out, "label", args_value(args, "label"));
    if (!open_put_seconds(args, &out, "idle", "idle_ms") ||
        !open_put_seconds(args, &out, "lifetime", "lifetime_ms") ||
        !open_put_seconds(args, &out, "time", "timeout_ms") || !params_put_memory(args, &out) ||
        !params_put_env(args, &out) || !params_put_network(args, &out) ||
        !params_put_packages(args, &out)) {
        gb_buf_release(&params);
        return EXIT_USAGE;
    }
    app_open(&app, args);
    image = params_image(&app, args);
    if (image != NULL)
        gb_json_put_str(&out, "image", image);
    gb_json_end(&out);
    if (image == NULL)
        status = EXIT_USAGE;
    else if (app_call(&app, "session.open", &params, params_open_ms(args), open_print_opened,
                      (void *)(uintptr_t)args))
        status = 0;
    app_close(&app);
    gb_buf_release(&params);
    return status;
}

static const struct option open_options[] = {
    OPTION_LANG_OF_SESSION,
    OPTION_IMAGE,
    {.name = "key",
     .value = "KEY",
     .kind = ARG_TEXT,
     .help = "attach to the session with this key, or create it"},
    {.name = "label", .value = "TEXT", .kind = ARG_TEXT, .help = "a name for people"},
    {.name = "idle",
     .value = "SECONDS",
     .kind = ARG_TEXT,
     .help = "close the session after being idle for this long (default 1800; 0: never)"},
    {.name = "lifetime",
     .value = "SECONDS",
     .kind = ARG_TEXT,
     .help = "close the session this long after it was opened"},
    {.letter = 't',
     .name = "time",
     .value = "SECONDS",
     .kind = ARG_TEXT,
     .help = "default time limit of its cells"},
    OPTION_MEMORY,
    OPTION_NET,
    OPTION_SECRET,
    OPTION_PACKAGES,
    OPTION_ENV,
    OPTION_JSON,
    {0},
};

const struct verb verb_open = {
    .name = "open",
    .summary = "open a session and print its id",
    .usage = "[options]",
    .options = open_options,
    .common = app_options,
    .words = ARG_NONE,
    .examples = "  id=$(glassbell open --label work)\n"
                "  glassbell open --key nightly -l shell --idle 3600\n",
    .run = open_run,
};

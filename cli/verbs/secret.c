/* SPDX-License-Identifier: Apache-2.0 */
/* glassbell secret: the secrets that sessions may be given. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "cli/app.h"
#include "cli/print.h"
#include "model/network.h"
#include "rpc/object.h"
#include "verbs/options.h"
#include "verbs/verbs.h"

enum { SECRET_DEADLINE_MS = 30000, SECRET_SHOWN_MAX = 400 };

static void secret_put(struct gb_buf *to, const char *before, struct gb_bytes text)
{
    gb_buf_adds(to, before);
    gb_escape(to, text, SECRET_SHOWN_MAX);
}

static void secret_print(void *arg, const struct gb_json *result)
{
    const struct args *args = arg;
    struct gb_secrets_info list;
    struct gb_secret_info secret;
    size_t at = 0;

    if (args_has(args, "json")) {
        print_json(result);
        return;
    }
    gb_object_take(&gb_secrets_object, result, &list);
    while (gb_items_next(&gb_secret_object, &list.secrets, &at, &secret) == 1) {
        struct gb_buf line = {0};

        secret_put(&line, "", secret.name);
        if (secret.hosts.size > 0) {
            secret_put(&line, ": ", secret.place);
            secret_put(&line, ", for ", secret.hosts);
            secret_put(&line, ", in $", secret.variable);
            secret_put(&line, ", from ", secret.source);
        }
        if (secret.problem.size > 0)
            secret_put(&line, ": cannot be used: ", secret.problem);
        (void)puts(gb_buf_str(&line));
        gb_buf_release(&line);
    }
}

static int secret_run(const struct args *args)
{
    struct app app;
    bool good;

    if (args->word_count > 1 || (args->word_count == 1 && strcmp(args->words[0], "list") != 0))
        return app_wrong_use(args, "secret can only `list`; secrets are defined in the "
                                   "settings file");
    app_open(&app, args);
    good = app_call(&app, "secret.list", NULL, SECRET_DEADLINE_MS, secret_print,
                    (void *)(uintptr_t)args);
    app_close(&app);
    return good ? 0 : EXIT_GLASSBELL;
}

static const struct option secret_options[] = {OPTION_JSON, {0}};

const struct verb verb_secret = {
    .name = "secret",
    .summary = "list the secrets that sessions can use",
    .usage = "list",
    .options = secret_options,
    .common = app_options,
    .words = ARG_NONE,
    .examples = "  glassbell secret list\n"
                "  glassbell run --secret API --net 'allow api.example' task.py\n",
    .run = secret_run,
};

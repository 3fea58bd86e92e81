/* SPDX-License-Identifier: Apache-2.0 */
/* glassbell network: shows or changes what a session may reach. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cli/app.h"
#include "cli/params.h"
#include "cli/print.h"
#include "rpc/access.h"
#include "verbs/options.h"
#include "verbs/verbs.h"

enum { NETWORK_DEADLINE_MS = 30000 };

/* The rules first, in file syntax; then what happened under them. */
static void network_print(void *arg, const struct gb_json *result)
{
    const struct args *args = arg;
    struct gb_bytes name = json_text(result, "network"), rules = json_text(result, "rules");

    if (args_has(args, "json")) {
        print_json(result);
        return;
    }
    (void)printf(
        "# %.*s: %.0f open of %.0f connections, %.0f denied, %.0f bytes in, %.0f out\n%.*s",
        (int)name.size, (const char *)name.data, json_number(result, "open"),
        json_number(result, "opened"), json_number(result, "denied"),
        json_number(result, "received"), json_number(result, "sent"), (int)rules.size,
        (const char *)rules.data);
}

/* `allow` or `deny`, followed by the words of the rule. */
static void network_put_rule(const struct args *args, struct gb_json_out *out)
{
    _cleanup_(gb_buf_release) struct gb_buf rule = {0};

    for (size_t i = 1; i < args->word_count; i++)
        gb_buf_addf(&rule, "%s%s", i > 1 ? " " : "", args->words[i]);
    gb_json_array(out, "rules");
    gb_json_put(out, NULL, gb_buf_bytes(&rule));
    gb_json_end(out);
}

static int network_run(const struct args *args)
{
    _cleanup_(gb_buf_release) struct gb_buf params = {0};
    struct gb_json_out out = {.buf = &params};
    _cleanup_(freep) char *session = NULL;
    struct app app;
    bool good;

    if (args->word_count == 0)
        return app_wrong_use(args, "which session? `glassbell ls` shows them");
    if (args->word_count > 1 && strcmp(args->words[1], "allow") != 0 &&
        strcmp(args->words[1], "deny") != 0)
        return app_wrong_use(args, "what stands behind the session is a rule: allow … or deny …");
    if (args->word_count > 1 && args_has(args, "net"))
        return app_wrong_use(args, "a rule, or another policy by --net, and not both");
    app_open(&app, args);
    session = app_find_session(&app, args->words[0]);
    good = session != NULL;
    if (good) {
        gb_json_object(&out, NULL);
        gb_json_put_str(&out, "session", session);
        if (args->word_count > 1)
            network_put_rule(args, &out);
        good = params_put_network(args, &out);
        gb_json_end(&out);
    }
    good = good && app_call(&app, "session.network", &params, NETWORK_DEADLINE_MS, network_print,
                            (void *)(uintptr_t)args);
    app_close(&app);
    return good ? 0 : EXIT_GLASSBELL;
}

static const struct option network_options[] = {OPTION_NET, OPTION_JSON, {0}};

const struct verb verb_network = {
    .name = "network",
    .summary = "show or change what a session may reach",
    .usage = "[options] SESSION [(allow | deny) RULE…]",
    .options = network_options,
    .common = app_options,
    .words = ARG_SESSION,
    .examples = "  glassbell network work\n"
                "  glassbell network work allow example.com :443\n"
                "  glassbell network work --net none\n",
    .run = network_run,
};

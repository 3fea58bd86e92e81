/* SPDX-License-Identifier: Apache-2.0 */
#include "verbs/rest.h"

#include <stdio.h>

#include "base/mem.h"
#include "cli/print.h"
#include "rpc/access.h"

/* Until the session is idle, or there is room for its VM. */
enum { REST_WAIT_MS = 60000, REST_DEADLINE_MS = 180000 };

const struct option rest_options[] = {
    {.name = "json", .kind = ARG_NONE, .help = "the result as JSON"},
    {0},
};

static void rest_print(void *arg, const struct gb_json *result)
{
    const struct args *args = arg;

    if (args_has(args, "json"))
        print_json(result);
    else
        (void)printf("as it was after cell %.0f; its checkpoints take %.1f MB\n",
                     json_number(result, "cell"), json_number(result, "bytes") / 1e6);
}

int rest_run(const struct args *args, const char *method)
{
    struct gb_buf params = {0};
    struct gb_json_out out = {.buf = &params};
    struct app app;
    char *session;
    bool good;

    if (args->word_count != 1)
        return app_wrong_use(args, "which session? `glassbell ls` shows them");
    app_open(&app, args);
    session = app_find_session(&app, args->words[0]);
    gb_json_object(&out, NULL);
    gb_json_put_str(&out, "session", session);
    gb_json_put_u64(&out, "wait_ms", REST_WAIT_MS);
    gb_json_end(&out);
    good = session != NULL &&
           app_call(&app, method, &params, REST_DEADLINE_MS, rest_print, (void *)(uintptr_t)args);
    app_close(&app);
    gb_buf_release(&params);
    free(session);
    return good ? 0 : EXIT_GLASSBELL;
}

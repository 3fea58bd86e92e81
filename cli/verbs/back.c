/* SPDX-License-Identifier: Apache-2.0 */
#include "verbs/back.h"

#include <stdio.h>

#include "base/mem.h"
#include "cli/print.h"
#include "rpc/access.h"
#include "verbs/verbs.h"

/* Waiting for a session may take as long as a cell by default, and its VM is recreated. */
enum { BACK_WAIT_MS = 60000, BACK_DEADLINE_MS = 180000, STEPS_MAX = 10000 };

/* Cells that came one right behind another may have one checkpoint together: then a step takes more
 * than one of them back. */
static bool back_went_further(const struct args *args, double cell, double from_cell)
{
    double steps = 1;

    return args->verb == &verb_undo &&
           (args->word_count < 2 || args_number(args->words[1], 1, STEPS_MAX, &steps)) &&
           from_cell - cell > steps;
}

static void back_print(void *arg, const struct gb_json *result)
{
    const struct args *args = arg;
    const double cell = json_number(result, "cell"), from_cell = json_number(result, "from_cell");

    if (args_has(args, "json")) {
        print_json(result);
        return;
    }
    if (cell == 0)
        (void)printf("as it was before the first cell");
    else
        (void)printf("as it was after cell %.0f", cell);
    if (back_went_further(args, cell, from_cell))
        (void)printf("; what followed, up to cell %.0f, is undone", from_cell);
    (void)printf("\n");
}

bool back_put_steps(const struct args *args, struct gb_json_out *out, int sign)
{
    double steps = 1;

    if (args->word_count > 1 && !args_number(args->words[1], 1, STEPS_MAX, &steps)) {
        app_say("%s is not a number of steps", args->words[1]);
        return false;
    }
    gb_json_put_i64(out, "steps", sign * (int64_t)steps);
    return true;
}

static bool back_call(struct app *app, const struct args *args, back_put *put)
{
    _cleanup_(freep) char *session = app_find_session(app, args->words[0]);
    struct gb_buf params = {0};
    struct gb_json_out out = {.buf = &params};
    bool good = session != NULL;

    gb_json_object(&out, NULL);
    gb_json_put_str(&out, "session", session);
    good = good && put(args, &out);
    gb_json_put_bool(&out, "interrupt", args_has(args, "interrupt"));
    gb_json_put_bool(&out, "drop_queued", args_has(args, "interrupt"));
    gb_json_put_u64(&out, "wait_ms", BACK_WAIT_MS);
    gb_json_end(&out);
    good = good && app_call(app, "session.rewind", &params, BACK_DEADLINE_MS, back_print,
                            (void *)(uintptr_t)args);
    gb_buf_release(&params);
    return good;
}

int back_run(const struct args *args, back_put *put)
{
    struct app app;
    bool good;

    if (args->word_count == 0)
        return app_wrong_use(args, "which session? `glassbell ls` shows them");
    app_open(&app, args);
    good = back_call(&app, args, put);
    app_close(&app);
    return good ? 0 : EXIT_GLASSBELL;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* glassbell sleep: puts a session to sleep. */
#include "verbs/rest.h"
#include "verbs/verbs.h"

static int sleep_run(const struct args *args)
{
    return rest_run(args, "session.sleep");
}

const struct verb verb_sleep = {
    .name = "sleep",
    .summary = "put a session to sleep: it uses only disk space until it is used again",
    .usage = "SESSION",
    .options = rest_options,
    .common = app_options,
    .words = ARG_SESSION,
    .examples = "  glassbell sleep work\n",
    .run = sleep_run,
};

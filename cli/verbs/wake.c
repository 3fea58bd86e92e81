/* SPDX-License-Identifier: Apache-2.0 */
/* glassbell wake: wakes a session that is asleep. */
#include "verbs/rest.h"
#include "verbs/verbs.h"

static int wake_run(const struct args *args)
{
    return rest_run(args, "session.wake");
}

const struct verb verb_wake = {
    .name = "wake",
    .summary = "wake a session that is asleep, before it is used",
    .usage = "SESSION",
    .options = rest_options,
    .common = app_options,
    .words = ARG_SESSION,
    .examples = "  glassbell wake work\n",
    .run = wake_run,
};

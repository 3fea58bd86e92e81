/* SPDX-License-Identifier: Apache-2.0 */
/* Events. */
#include "model/answer.h"
#include "rows.h"

/* clang-format off */
static const struct gb_param subscribe_params[] = {
    NODE("sessions", GB_PARAM_NAMES, sessions, 1024, "ids of open sessions; default: all, those to come included"),
    NODE("kinds", GB_PARAM_NAMES, kinds, 64, "kinds of events; default: all. `snapshot` and `gap` always come"),
    BOOL("output", output, 0, "with `cell.output`"),
    BOOL("answers", answers, 0, "this client shows each `network.question` to somebody who can answer it: without any such client nothing is asked, and what would be is refused"),
    BOOL("replay", replay, 0, "then come figures of the last minutes, and what running cells have printed so far"),
};
static const struct gb_param unsubscribe_params[] = {
    INTEGER("subscription", subscription, 0, INT32_MAX, 0, "as `events.subscribe` gave it"),
};

static const struct gb_method rows[] = {
    {.name = "events.subscribe",
     .doc = "Tells what happens from now on, as `event` notifications that begin with a snapshot.",
     PARAMS(subscribe_params), .result = &gb_subscribed_object,
     .errors = SESSION_ERRORS},
    {.name = "events.unsubscribe",
     .doc = "Ends a subscription. It also ends with its connection.",
     PARAMS(unsubscribe_params),
     .errors = ERROR(NOTFOUND)},
};
/* clang-format on */

const struct gb_method_group gb_methods_watch = {rows, ARRAY_SIZE(rows)};

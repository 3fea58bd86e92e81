/* SPDX-License-Identifier: Apache-2.0 */
/* Events. */
#include "model/answer.h"
#include "rows.h"

/* clang-format off */
static const struct gb_param subscribe_params[] = {
    NODE("sessions", GB_PARAM_NAMES, sessions, 1024, "ids of open sessions; default: all, "
                                                     "including future ones"),
    NODE("kinds", GB_PARAM_NAMES, kinds, 64, "kinds of events; default: all. `snapshot` and "
                                             "`gap` are always sent"),
    BOOL("output", output, 0, "with `cell.output`"),
    BOOL("answers", answers, 0, "this client shows each `network.question` to a person who can "
                                "answer it; without any such client, connections that need an "
                                "answer are refused"),
    BOOL("replay", replay, 0, "also send the samples of the last minutes, and the output of "
                              "running cells so far"),
};
static const struct gb_param unsubscribe_params[] = {
    INTEGER("subscription", subscription, 0, INT32_MAX, 0, "from the reply to `events.subscribe`"),
};

static const struct gb_method rows[] = {
    {.name = "events.subscribe",
     .doc = "Sends `event` notifications from now on, beginning with a snapshot.",
     PARAMS(subscribe_params), .result = &gb_subscribed_object,
     .errors = SESSION_ERRORS},
    {.name = "events.unsubscribe",
     .doc = "Ends a subscription. It also ends with its connection.",
     PARAMS(unsubscribe_params),
     .errors = ERROR(NOTFOUND)},
};
/* clang-format on */

const struct gb_method_group gb_methods_watch = {rows, ARRAY_SIZE(rows)};

/* SPDX-License-Identifier: Apache-2.0 */
/* Who may run cells in a session. */
#include "model/session.h"
#include "model/words.h"
#include "rows.h"

/* clang-format off */
static const struct gb_param lease_params[] = {
    SESSION,
    {.name = "action", .type = GB_PARAM_CHOICE, .offset = offsetof(struct gb_params, action),
     .required = true, .choices = gb_lease_action_names, .standard = -1,
     .doc = "`hand_over` needs `to`, and that the caller holds the lease; `release` of a session that nobody holds does nothing"},
    NAME("to", to, 0, GB_NAME_MAX, "who receives it: a client's name as in `hello`, or its number"),
    TEXT("note", note, 0, GB_PATH_MAX,
         "with `take`: the reason; otherwise the `notice` in the reply to the next cell of "
         "another client"),
    BOOL("human", human, 0, "a person holds the session, which is told to clients that are refused"),
    BOOL("force", force, 0, "take it even if another client holds it"),
};

static const struct gb_method rows[] = {
    {.name = "session.lease",
     .doc = "Takes, releases or hands over the exclusive right to run cells in a session. It "
            "ends with the holder's connection; until then the session does not expire as idle.",
     PARAMS(lease_params), .result = &gb_held_object,
     .errors = SESSION_ERRORS | ERROR(HELD)},
};
/* clang-format on */

const struct gb_method_group gb_methods_lease = {rows, ARRAY_SIZE(rows)};

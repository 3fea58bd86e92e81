/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions: open, list, close. */
#include "model/answer.h"
#include "model/session.h"
#include "rows.h"

/* clang-format off */
#define MS_MAX (INT64_C(366) * 86400000) /* a year: idle and lifetime */

static const char *const checkpoints[] = {"settings", "off", "asked", "idle", "cell", NULL};

static const struct gb_param open_params[] = {
    OPEN_OPTIONS,
    NAME("key", key, 0, GB_NAME_MAX, "attaches to the session with this key, or creates it"),
    NODE("env", GB_PARAM_STRINGS, env, GB_ENV_COUNT_MAX, "environment variables of the session"),
    INTEGER("timeout_ms", timeout_ms, 1, GB_TIMEOUT_MAX_MS, 0,
            "default time limit of its cells; default: the settings' (30 s)"),
    INTEGER("idle_ms", idle_ms, 0, MS_MAX, -1,
            "the session is closed after being idle for this long; 0: never; default: the "
            "settings' (30 min)"),
    INTEGER("lifetime_ms", lifetime_ms, 0, MS_MAX, -1, "the session is closed this long after "
                                                       "it was opened; 0: no limit; default: "
                                                       "the settings' (0)"),
    {.name = "checkpoints", .type = GB_PARAM_CHOICE, .offset = offsetof(struct gb_params, checkpoints),
     .choices = checkpoints, .doc = "when checkpoints are taken, as in [past] of the settings: "
                                    "`idle`: automatically when it is idle after a cell; "
                                    "`cell`: after each cell, for which the next one waits. "
                                    "Ignored if the settings say `off`. Default: the "
                                    "settings'"},
};
static const struct gb_param session_params[] = {SESSION};
static const struct gb_param list_params[] = {
    NAME("state", state, 0, GB_NAME_MAX, "only sessions in this state; `closed` and `lost`: "
                                         "ended ones, from the journal, newest first"),
    NAME("key", key, 0, GB_NAME_MAX, "only the session with this key"),
    NAME("label", label, 0, GB_NAME_MAX, "only sessions with this label"),
    NAME("owner", owner, 0, GB_NAME_MAX, "only sessions of this owner"),
    NAME("image", image, 0, GB_NAME_MAX, "only sessions of this image"),
    INTEGER("limit", limit, 1, 100000, 1000, "at most this many ended sessions"),
};

static const struct gb_method rows[] = {
    {.name = "session.open",
     .doc = "Opens a session, or attaches to the one with this key.",
     PARAMS(open_params), .result = &gb_opened_object,
     .errors = ERROR(CLOSED) | VM_ERRORS},
    {.name = "session.get",
     .doc = "One session.",
     PARAMS(session_params), .result = &gb_session_object,
     .errors = SESSION_ERRORS},
    {.name = "session.list",
     .doc = "The open sessions, including the VMs of `run`.",
     PARAMS(list_params), .result = &gb_sessions_object},
    {.name = "session.close",
     .doc = "Closes a session. Idempotent. Answered when its VM has ended.",
     PARAMS(session_params),
     .errors = SESSION_ERRORS},
};
/* clang-format on */

const struct gb_method_group gb_methods_sessions = {rows, ARRAY_SIZE(rows)};

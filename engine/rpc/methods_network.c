/* SPDX-License-Identifier: Apache-2.0 */
/* Network access of sessions. */
#include "model/network.h"
#include "rows.h"

/* clang-format off */
static const struct gb_param network_params[] = {
    SESSION,
    NODE("network", GB_PARAM_ANY, network, 0,
         "the new policy, as in `session.open`; connections that it does not allow are broken"),
    NODE("rules", GB_PARAM_NAMES, rules, 256, "rules to insert before the existing ones"),
};
static const struct gb_param answer_params[] = {
    SESSION,
    {.name = "question", .type = GB_PARAM_INTEGER, .offset = offsetof(struct gb_params, question),
     .required = REQUIRED, .min = 1, .max = INT64_MAX >> 10, .doc = "its number"},
    {.name = "answer", .type = GB_PARAM_CHOICE, .offset = offsetof(struct gb_params, answer),
     .required = REQUIRED, .choices = gb_network_answer_names,
     .doc = "for the connections that wait (`once`, `refuse`), or for all connections to that "
            "host and port from now on (`session`, `never`: a rule before all others; `always`: "
            "like `session`, and the rule is written into the `[network]` of the settings with "
            "which the session was opened)"},
};
#define PORT {.name = "port", .type = GB_PARAM_INTEGER, .offset = offsetof(struct gb_params, port), \
     .required = REQUIRED, .min = 1, .max = UINT16_MAX, .doc = "of the guest"}
static const struct gb_param port_open_params[] = {
    SESSION,
    PORT,
    NAME("address", address, 0, GB_NAME_MAX,
         "the address on this host: `127.0.0.1:PORT` or `[::1]:PORT`; port 0: a free one; "
         "default: `127.0.0.1:0`"),
    NAME("unix", unix_path, 0, GB_PATH_MAX,
         "the path of a Unix socket to create instead, with mode 0600"),
};
static const struct gb_param port_close_params[] = {
    SESSION,
    PORT,
    NAME("address", address, 0, GB_PATH_MAX,
         "only the forward at this address; default: all to that port"),
};
static const struct gb_method rows[] = {
    {.name = "session.network",
     .doc = "Shows what a session may reach (docs/network.md), or changes it while the session "
            "is open.",
     PARAMS(network_params), .result = &gb_network_object,
     .errors = SESSION_ERRORS | ERROR(UNSUPPORTED)},
    {.name = "secret.list",
     .doc = "The secrets of the settings, without their values.", .result = &gb_secrets_object},
    {.name = "session.network_answer",
     .doc = "Answers a `network.question`. `not_found`: it has been answered, or its "
            "connections no longer wait.",
     PARAMS(answer_params), .errors = SESSION_ERRORS | ERROR(POLICY) | ERROR(DISK)},
    {.name = "session.port_open",
     .doc = "Opens a port of the guest to programs on this host (docs/network.md), until it is "
            "closed or the session ends. The session does not need a network for this, and "
            "does not get one.",
     PARAMS(port_open_params), .result = &gb_port_object,
     .errors = SESSION_ERRORS | ERROR(UNSUPPORTED)},
    {.name = "session.port_close",
     .doc = "Closes an open port, and breaks its connections.",
     PARAMS(port_close_params), .errors = SESSION_ERRORS},
};
/* clang-format on */

const struct gb_method_group gb_methods_network = {rows, ARRAY_SIZE(rows)};

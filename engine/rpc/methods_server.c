/* SPDX-License-Identifier: Apache-2.0 */
/* The server's life. */
#include "rows.h"

/* clang-format off */
static const struct gb_param shutdown_params[] = {
    BOOL("drain", drain, 0, "waits for running and queued cells; new ones are refused (`busy`)"),
};

static const struct gb_method rows[] = {
    {.name = "server.shutdown",
     .doc = "Closes all sessions and stops the server. Answered when the sessions have ended.",
     PARAMS(shutdown_params)},
};
/* clang-format on */

const struct gb_method_group gb_methods_server = {rows, ARRAY_SIZE(rows)};

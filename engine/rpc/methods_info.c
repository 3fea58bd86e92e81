/* SPDX-License-Identifier: Apache-2.0 */
/* What the server reports about itself: hello, stats. */
#include "model/hello.h"
#include "model/stats.h"
#include "rows.h"

/* clang-format off */
static const struct gb_param hello_params[] = {
    TEXT("client", client, 0, GB_NAME_MAX, "name and version of the client, for the log"),
    INTEGER("protocol", protocol, 0, INT32_MAX, GB_PROTOCOL_VERSION,
            "the protocol version of the client; `unsupported` if it is not the server's"),
};

static const struct gb_method rows[] = {
    {.name = "hello",
     .doc = "What the server is and can do. Optional.",
     PARAMS(hello_params), .result = &gb_hello_object,
     .errors = ERROR(UNSUPPORTED)},
    {.name = "stats",
     .doc = "Figures of the host, the server and each VM.",
     .result = &gb_stats_object},
};
/* clang-format on */

const struct gb_method_group gb_methods_info = {rows, ARRAY_SIZE(rows)};

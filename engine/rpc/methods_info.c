/* SPDX-License-Identifier: Apache-2.0 */
/* What the server says of itself: hello, stats. */
#include "rows.h"

/* clang-format off */
static const struct gb_param hello_params[] = {
    TEXT("client", client, 0, GB_NAME_MAX, "name and version of the client, for the log"),
    INTEGER("protocol", protocol, 0, INT32_MAX, GB_PROTOCOL_VERSION,
            "the version that the client speaks; another one than the server's is `unsupported`"),
};
static const struct gb_result hello_results[] = {
    {"server", "string", "version of the server"},
    {"protocol", "integer", "1"},
    {"pid", "integer", "process id of the server"},
    {"client", "integer", "the number of this connection, as leases name it"},
    {"accel", "string", "`kvm`, `hvf` or `tcg`"},
    {"accel_reason", "string", "a sentence: why this accelerator"},
    {"isolation", "string", "`hardware`, or `emulation` (TCG: not a security boundary)"},
    {"guard", "object", "stages of confinement of the QEMU processes: `applied` [names], `missing` "
     "[{`stage`, `why`}]"},
    {"images", "array", "{`name`, `language`, `aliases`, `memory_mb`, `packages` [{`name`, "
     "`version`}]}"},
    {"languages", "array", "what is known of the languages of its workers, a record each (\"Languages\")"},
    {"limits", "object", "every limit of this server, by name"},
};
static const struct gb_result stats_results[] = {
    {"uptime_ms", "number", "of the server"},
    {"pid", "integer", "of the server"},
    {"cpu_ms", "number", "that the server itself has used"},
    {"wakeups", "integer",
     "how often the server has woken up: each call wakes it once, and while nothing happens only the "
     "figures of sessions do, every ten seconds"},
    {"rss_bytes", "integer", "of the server itself"},
    {"host", "object", "`cpus`, `memory_total`, `memory_available`"},
    {"connections", "integer", "open now"},
    {"sessions", "object", "how many, by state"},
    {"opened", "integer", "sessions opened since the start"},
    {"cells", "integer", "cells ended since the start"},
    {"journal", "object or null", "`bytes`, `segments`, `sessions`, `records`, "
     "`failures` (records that could not be written since the start), `lost` (that were missing or "
     "damaged at the start), `trouble` (why nothing is recorded now, or null)"},
    {"latency", "object", "`open`, `exec` (request to reply) and `overhead` (the same without the "
     "guest's own `wall_ms`): {`count`, `p50_ms`, `p90_ms`, `p99_ms`, `max_ms`}"},
    {"vms", "array", "{`session` and its `source` (as of `session.open`), or null of a VM of the pool; "
     "`pool` (`ready`, `starting`, `waiting`), or null of a session's; `image`, `pid`, `memory_mb`, "
     "`memory_bytes` (PSS), `private_bytes`, `cpu_ms`; the last three are null until they are known}"},
    {"pools, admission", "", "as `pool.status`"},
};

static const struct gb_method rows[] = {
    {.name = "hello",
     .doc = "Who the server is and what it can do. Not required.",
     PARAMS(hello_params), RESULTS(hello_results),
     .errors = ERROR(UNSUPPORTED)},
    {.name = "stats",
     .doc = "Figures of the host, the server and each VM.",
     RESULTS(stats_results)},
};
/* clang-format on */

const struct gb_method_group gb_methods_info = {rows, ARRAY_SIZE(rows)};

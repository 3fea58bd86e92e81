/* SPDX-License-Identifier: Apache-2.0 */
/* The warm pool, and what there is room for. */
#include "rows.h"

/* clang-format off */
static const struct gb_param warm_params[] = {
    NAME("image", image, 0, GB_NAME_MAX, "image or alias; default `python`"),
    INTEGER("memory_mb", memory_mb, GB_MEMORY_MIN_MB, GB_MEMORY_MAX_MB, 0, "RAM of the VMs in MiB; default: the image's"),
};
static const struct gb_result pool_results[] = {
    {"pools", "array", "for each image and memory size that was asked for: {`image`, `memory_mb`, "
     "`network`, `ready`, `target` (VMs wanted ready now), `floor`, `ceiling`, `starting`, `waiting` "
     "(QEMU processes that wait for a template's state), `hits`, `misses`, `lost` (died, or did not "
     "answer), `template` {`state`, `bytes`, `made_at`, `message`}}"},
    {"admission", "object", "`memory_budget`, `memory_source` (`settings`, `cgroup`, `host`), "
     "`memory_used` (charges of all VMs), `memory_reserve`, `memory_available` (of the host, now), "
     "`pressure` (percent, or null), `cpus`, `cpus_source`, `cpu_budget` (VMs at most), `vms`, "
     "`starting`, `starts` (at a time at most), `waiting`, `short` (what the first of those who wait "
     "waits for: `memory`, `vms`, `starts`, `available`, `pressure`), `granted`, `queued`, "
     "`refused`"},
};
static const struct gb_result warm_results[] = {
    {"image", "string", "its name"},
    {"memory_mb", "integer", "RAM of the VMs that it is for"},
    {"bytes", "integer", "that it takes on the disk"},
    {"made_at", "integer", "when it was made"},
};

static const struct gb_method rows[] = {
    {.name = "pool.status",
     .doc = "The warm pool and the room that there is.",
     RESULTS(pool_results)},
    {.name = "image.warm",
     .doc = "Makes the template of an image, from which sessions are restored, unless it is there and "
            "good. Answered when it is.",
     PARAMS(warm_params), RESULTS(warm_results),
     .errors = ERROR(CLOSED) | VM_ERRORS},
};
/* clang-format on */

const struct gb_method_group gb_methods_capacity = {rows, ARRAY_SIZE(rows)};

/* SPDX-License-Identifier: Apache-2.0 */
/* The warm pool and the available capacity. */
#include "model/capacity.h"
#include "rows.h"

/* clang-format off */
static const struct gb_param warm_params[] = {
    NAME("image", image, 0, GB_NAME_MAX, "image or alias; default `" GB_IMAGE_DEFAULT "`"),
    INTEGER("memory_mb", memory_mb, GB_MEMORY_MIN_MB, GB_MEMORY_MAX_MB, 0, "RAM of the VMs in MiB; default: the image's"),
};
static const struct gb_method rows[] = {
    {.name = "pool.status",
     .doc = "The warm pool and the available capacity.",
     .result = &gb_capacity_object},
    {.name = "image.warm",
     .doc = "Builds the template of an image, from which sessions are restored, unless a valid "
            "one exists. Answered when it exists.",
     PARAMS(warm_params), .result = &gb_warm_object,
     .errors = ERROR(CLOSED) | VM_ERRORS},
};
/* clang-format on */

const struct gb_method_group gb_methods_pool = {rows, ARRAY_SIZE(rows)};

/* SPDX-License-Identifier: Apache-2.0 */
/* Packages that are kept on disk. */
#include "model/layer.h"
#include "rows.h"

/* clang-format off */
static const struct gb_param list_params[] = {
    NAME("after", after, 0, GB_NAME_MAX, "only those whose names sort after this one"),
};
static const struct gb_param remove_params[] = {
    NAME("name", name, REQUIRED, GB_NAME_MAX, "as `packages.list` tells it; sessions keep what they have"),
};
static const struct gb_method rows[] = {
    {.name = "packages.list",
     .doc = "The packages that sessions have been given and that are kept for others.",
     PARAMS(list_params), .result = &gb_layers_object},
    {.name = "packages.remove",
     .doc = "Removes some of them from the disk.",
     PARAMS(remove_params), .errors = ERROR(NOTFOUND)},
};
/* clang-format on */

const struct gb_method_group gb_methods_packages = {rows, ARRAY_SIZE(rows)};

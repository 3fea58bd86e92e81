/* SPDX-License-Identifier: Apache-2.0 */
#include "methods.h"

#include "base/mem.h"

/* In the order of the documentation. */
static const struct gb_method_group *const groups[] = {
    &gb_methods_info,     &gb_methods_sessions,   &gb_methods_cells, &gb_methods_terminal,
    &gb_methods_history,  &gb_methods_checkpoint, &gb_methods_lease, &gb_methods_network,
    &gb_methods_packages, &gb_methods_files,      &gb_methods_watch, &gb_methods_pool,
    &gb_methods_server,
};

const struct gb_method *gb_method_at(size_t index)
{
    for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
        if (index < groups[i]->count)
            return &groups[i]->methods[index];
        index -= groups[i]->count;
    }
    return NULL;
}

const struct gb_method *gb_method_find(struct gb_bytes name)
{
    const struct gb_method *method;

    for (size_t i = 0; (method = gb_method_at(i)) != NULL; i++)
        if (gb_bytes_equal(name, method->name))
            return method;
    return NULL;
}

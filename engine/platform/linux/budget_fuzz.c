/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's texts about control groups, memory and pressure. */
#include <stdlib.h>

#include "platform/linux/budget_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const controllers[] = {NULL, "memory", "cpu"};
    struct gb_bytes text = {data, size}, path;
    struct budget_mount mount;
    uint64_t value;
    double number;

    for (size_t i = 0; i < sizeof(controllers) / sizeof(controllers[0]); i++) {
        if (budget_parse_group(text, controllers[i], &path) && path.data[0] != '/')
            abort();
        if (budget_parse_mount(text, controllers[i], &mount))
            budget_mount_release(&mount);
    }
    (void)budget_parse_limit(text, &value);
    (void)budget_parse_field(text, "MemAvailable:", &value);
    (void)budget_parse_field(text, "inactive_file", &value);
    if (budget_parse_cpu_max(text, &number) && !(number >= 0))
        abort();
    if (budget_parse_pressure(text, &number) && !(number >= 0))
        abort();
    return 0;
}

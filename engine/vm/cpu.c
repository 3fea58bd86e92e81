/* SPDX-License-Identifier: Apache-2.0 */
#include "vm/cpu.h"

#include <string.h>

#include "base/mem.h"

bool cpu_read_known(const struct gb_machine *machine, const cJSON *properties, uint32_t *ret_known)
{
    const cJSON *property;
    uint32_t known = 0;

    if (!cJSON_IsArray(properties) || properties->child == NULL)
        return false;
    cJSON_ArrayForEach(property, properties)
    {
        const cJSON *name = cJSON_GetObjectItemCaseSensitive(property, "name");

        if (!cJSON_IsString(name))
            return false;
        for (size_t i = 0; i < machine->cpu_rule_count; i++) {
            if (strcmp(name->valuestring, machine->cpu_rules[i].feature.name) == 0)
                known |= 1u << i;
        }
    }
    *ret_known = known;
    return true;
}

void cpu_add_model(struct gb_buf *buf, const struct gb_machine *machine, enum gb_accel accel,
                   uint32_t known)
{
    gb_buf_adds(buf, machine->cpu_model[accel]);
    if (machine->cpu_always[accel] != NULL)
        gb_buf_addf(buf, ",%s", machine->cpu_always[accel]);
    for (size_t i = 0; i < machine->cpu_rule_count; i++) {
        const struct gb_cpu_rule *rule = &machine->cpu_rules[i];

        if ((rule->accels & 1u << accel) != 0 && (known & 1u << i) != 0)
            gb_buf_addf(buf, ",%s=off", rule->feature.name);
    }
}

void gb_host_describe_cpu(const struct gb_host *host, struct gb_cpu *ret_cpu)
{
    const struct gb_machine *machine = host->machine;
    struct gb_cpu cpu = {.model = machine->cpu_model[host->accel]};

    for (size_t i = 0; i < machine->cpu_rule_count; i++) {
        const struct gb_cpu_rule *rule = &machine->cpu_rules[i];

        if ((rule->accels & 1u << host->accel) == 0)
            continue;
        if ((host->cpu_known & 1u << i) != 0)
            cpu.off[cpu.off_count++] = rule->feature;
        else
            cpu.unknown[cpu.unknown_count++] = rule->feature;
    }
    *ret_cpu = cpu;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "vm/cpu.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"

enum { TCG = 1u << GB_ACCEL_TCG, KVM = 1u << GB_ACCEL_KVM };

/* The five that say that string instructions are fast go together. Emulated, such an instruction
 * goes a byte a round; and Linux 6.1 with `fsrm` and without `erms` never returns from its
 * memmove() of a few bytes. QEMU 7.2 under emulation has the first alone. */
#define SLOW "string instructions are not fast when they are emulated"
#define NESTED "a guest has no virtual machines, and no way to that part of the host's kernel"

static const struct {
    struct gb_cpu_feature feature;
    unsigned accels; /* under which it is switched off */
} features[] = {
    {{"erms", SLOW}, TCG},
    {{"fsrm", SLOW}, TCG},
    {{"fzrm", SLOW}, TCG},
    {{"fsrs", SLOW}, TCG},
    {{"fsrc", SLOW}, TCG},
    {{"smap", "each copy from user space would change the mode, and the TLB, twice"}, TCG},
    {{"pku", "it is one more register to switch"}, TCG},
    {{"la57", "it is a fifth level in every page walk"}, TCG},
    {{"svm", NESTED}, KVM | TCG},
    {{"vmx", NESTED}, KVM | TCG},
    {{"pmu", "the counters are the host's, and none of a guest's business"}, KVM},
};

static_assert(ARRAY_SIZE(features) <= GB_CPU_FEATURES_MAX, "there is room for all features");

static const char *base_model(enum gb_accel accel)
{
    return accel == GB_ACCEL_KVM ? "host" : "max";
}

bool cpu_read_known(const cJSON *properties, uint32_t *ret_known)
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
        for (size_t i = 0; i < ARRAY_SIZE(features); i++) {
            if (strcmp(name->valuestring, features[i].feature.name) == 0)
                known |= 1u << i;
        }
    }
    *ret_known = known;
    return true;
}

void cpu_add_model(struct gb_buf *buf, enum gb_accel accel, uint32_t known)
{
    gb_buf_adds(buf, base_model(accel));
    /* Without svm, QEMU 7.2 stops before the leaves that tell the caches' and the addresses' sizes.
     */
    if (accel == GB_ACCEL_TCG)
        gb_buf_adds(buf, ",min-xlevel=0x80000008");
    for (size_t i = 0; i < ARRAY_SIZE(features); i++) {
        if ((features[i].accels & 1u << accel) != 0 && (known & 1u << i) != 0)
            gb_buf_addf(buf, ",%s=off", features[i].feature.name);
    }
}

void gb_host_describe_cpu(const struct gb_host *host, struct gb_cpu *ret_cpu)
{
    struct gb_cpu cpu = {.model = base_model(host->accel)};

    for (size_t i = 0; i < ARRAY_SIZE(features); i++) {
        if ((features[i].accels & 1u << host->accel) == 0)
            continue;
        if ((host->cpu_known & 1u << i) != 0)
            cpu.off[cpu.off_count++] = features[i].feature;
        else
            cpu.unknown[cpu.unknown_count++] = features[i].feature;
    }
    *ret_cpu = cpu;
}

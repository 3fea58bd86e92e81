/* SPDX-License-Identifier: Apache-2.0 */
/* There are no groups with limits here: what exists is what we may use. */
#include "platform/budget.h"

#include <stdlib.h>

#include "base/mem.h"
#include "platform/darwin/sysctl.h"

struct gb_budget {
    char unused;
};

struct gb_budget *gb_budget_new(const char *root)
{
    (void)root; /* nothing is read from files */
    return xcalloc(1, sizeof(struct gb_budget));
}

void gb_budget_free(struct gb_budget *budget)
{
    free(budget);
}

void gb_budget_read(const struct gb_budget *budget, struct gb_budget_reading *ret_reading)
{
    const uint64_t total = sysctl_number("hw.memsize"), available = sysctl_memory_available();
    const uint64_t cpus = sysctl_number("hw.activecpu");

    (void)budget;
    /* The kernel tells levels of pressure, and no share of time. */
    *ret_reading = (struct gb_budget_reading){
        .memory_total = total,
        .memory_limit = total,
        .memory_available = available == 0 ? UINT64_MAX : available,
        .cpus = (double)MAX(cpus, 1),
    };
}

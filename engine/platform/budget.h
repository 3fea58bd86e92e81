/* SPDX-License-Identifier: Apache-2.0 */
/* The host's memory and CPUs that we may use: the smaller of what exists and what our control
 * groups (Linux, v1 and v2) allow; and how much of the memory is free right now. Unreadable values
 * are ignored: a host without groups has no group limits. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct gb_budget;

/* Finds the groups of this process. @root is prepended to the paths of all files that are read: ""
 * for the host itself, a test's own folder in tests. Gives. */
struct gb_budget *gb_budget_new(const char *root);
/* No-op on NULL. */
void gb_budget_free(struct gb_budget *budget);

struct gb_budget_reading {
    uint64_t memory_total;     /* of the host; 0: unknown */
    uint64_t memory_limit;     /* the smaller of that and the groups' limits; 0: unknown */
    uint64_t memory_available; /* of it, now; UINT64_MAX: unknown */
    double cpus;               /* by affinity and quota; may be fractional */
    bool memory_by_group, cpus_by_group; /* the group's limit is the smaller one */
    bool has_pressure;
    double pressure; /* percentage of the last ten seconds in which all tasks stalled on memory */
};

/* Reads the files; takes about 100 µs. */
void gb_budget_read(const struct gb_budget *budget, struct gb_budget_reading *ret_reading);

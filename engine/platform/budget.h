/* SPDX-License-Identifier: Apache-2.0 */
/* What this host lets us have: memory and CPUs, by the smallest of what there is and what the
 * resource groups that we are in allow (control groups of Linux, v1 and v2), and how much of the
 * memory is free right now. What cannot be read does not count: a host without groups has no limits
 * by them.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct gb_budget;

/* Finds the groups of this process. @root is put before the paths of all files that are read: ""
 * for the host itself, a folder of their own for tests. Gives. */
struct gb_budget *gb_budget_new(const char *root);
/* Accepts NULL. */
void gb_budget_free(struct gb_budget *budget);

struct gb_budget_reading {
    uint64_t memory_total;     /* of the host; 0: not known */
    uint64_t memory_limit;     /* the smaller of that and the groups' limits; 0: not known */
    uint64_t memory_available; /* of it, now; UINT64_MAX: not known */
    double cpus;               /* by affinity and quota, with a fraction */
    bool memory_by_group, cpus_by_group; /* the group's limit is the smaller one */
    bool has_pressure;
    double pressure; /* percent of the last ten seconds in which all stood still for memory */
};

/* Reads the files: some 100 µs. */
void gb_budget_read(const struct gb_budget *budget, struct gb_budget_reading *ret_reading);

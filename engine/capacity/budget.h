/* SPDX-License-Identifier: Apache-2.0 */
/* What this host lets us have: memory and CPUs, by the smallest of what there is and what the
 * control groups (v1 and v2) that we are in allow, and how much of the memory is free right now.
 *
 * Everything is read from /proc and the cgroup file systems, below a root that tests set up as
 * they like. What cannot be read does not count: a host without control groups has no limits by
 * them.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct gb_budget;

/* @root is put before all paths; "" for the host itself. Finds the control groups of this process.
 * Gives. */
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

/* ---- the parsers: for gb_budget_read() and for tests ---- */

/* /proc/self/cgroup: the path of the group by @controller, in the unified hierarchy when it is
 * NULL. Borrows from @text. False: there is none. */
bool budget_parse_group(struct gb_bytes text, const char *controller, struct gb_bytes *ret_path);

/* /proc/self/mountinfo: the mount of a hierarchy of control groups, again by @controller or NULL.
 * Gives both paths, with the escapes taken out. */
struct budget_mount {
    char *root; /* the group that stands at the mount point */
    char *point;
};
bool budget_parse_mount(struct gb_bytes text, const char *controller,
                        struct budget_mount *ret_mount);
void budget_mount_release(struct budget_mount *mount);

/* A file with one number, or "max" or a negative number for no limit (UINT64_MAX). */
bool budget_parse_limit(struct gb_bytes text, uint64_t *ret_value);
/* cpu.max: "QUOTA PERIOD". HUGE_VAL for no limit. */
bool budget_parse_cpu_max(struct gb_bytes text, double *ret_cpus);
/* The number behind "NAME" and white space at the start of a line (memory.stat; /proc/meminfo,
 * there with the colon in the name and kB behind the number). */
bool budget_parse_field(struct gb_bytes text, const char *name, uint64_t *ret_value);
/* A pressure file: the avg10 of the line "full". */
bool budget_parse_pressure(struct gb_bytes text, double *ret_percent);

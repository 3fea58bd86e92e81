/* SPDX-License-Identifier: Apache-2.0 */
/* Parsers of what /proc and the control groups tell of limits, for budget.c and for tests. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

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

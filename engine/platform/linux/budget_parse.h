/* SPDX-License-Identifier: Apache-2.0 */
/* Parsers for limits in /proc and control groups, for budget.c and tests. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

/* /proc/self/cgroup: the path of the group for @controller; of the unified hierarchy if that is
 * NULL. Borrows from @text. False if there is none. */
bool budget_parse_group(struct gb_bytes text, const char *controller, struct gb_bytes *ret_path);

/* /proc/self/mountinfo: the mount of a control group hierarchy, again by @controller or NULL. Gives
 * both paths, unescaped. */
struct budget_mount {
    char *root; /* the group that is mounted at the mount point */
    char *point;
};
bool budget_parse_mount(struct gb_bytes text, const char *controller,
                        struct budget_mount *ret_mount);
void budget_mount_release(struct budget_mount *mount);

/* A file that contains one number; "max" or a negative number means no limit (UINT64_MAX). */
bool budget_parse_limit(struct gb_bytes text, uint64_t *ret_value);
/* cpu.max: "QUOTA PERIOD". HUGE_VAL if there is no limit. */
bool budget_parse_cpu_max(struct gb_bytes text, double *ret_cpus);
/* The number after "NAME" and white space at the start of a line (memory.stat; in /proc/meminfo the
 * name includes a colon and kB follows the number). */
bool budget_parse_field(struct gb_bytes text, const char *name, uint64_t *ret_value);
/* A pressure file: avg10 of the line "full". */
bool budget_parse_pressure(struct gb_bytes text, double *ret_percent);

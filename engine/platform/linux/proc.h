/* SPDX-License-Identifier: Apache-2.0 */
/* The files of proc(5). */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

/* Appends the whole of /proc/PID/FILE (PID 0: self) to @text. */
int proc_read(pid_t pid, const char *file, struct gb_buf *text, struct gb_err *err);

/* A field of /proc/PID/stat, by its number in proc(5). The second field may contain anything, so
 * only fields after it can be read. False if there is no such field or it is not a number. */
enum { STAT_USER = 14, STAT_SYSTEM = 15, STAT_START = 22 };
bool proc_stat_number(struct gb_bytes text, int number, uint64_t *ret_value);

/* The number after "NAME:" at the start of a line, converted from kB to bytes; 0 if absent. */
uint64_t proc_kilobytes(struct gb_bytes text, const char *name);

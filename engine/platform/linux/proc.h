/* SPDX-License-Identifier: Apache-2.0 */
/* The files of proc(5). */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

/* The whole of /proc/PID/FILE (PID 0: self), appended to @text. */
int proc_read(pid_t pid, const char *file, struct gb_buf *text, struct gb_err *err);

/* A field of a line of /proc/PID/stat by its number in proc(5); the second may hold anything, so
 * what is asked for comes behind it. False when there is no such field, or no number in it. */
enum { STAT_USER = 14, STAT_SYSTEM = 15, STAT_START = 22 };
bool proc_stat_number(struct gb_bytes text, int number, uint64_t *ret_value);

/* The number behind "NAME:" at the start of a line, in kB, as bytes; 0 when there is none. */
uint64_t proc_kilobytes(struct gb_bytes text, const char *name);

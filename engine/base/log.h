/* SPDX-License-Identifier: Apache-2.0 */
/* The log: one line a message, foreign text escaped, one sink for the process.
 *
 * Library code logs at debug only; what failed is logged once, by whoever decides what to do.
 */
#pragma once

#include <stdbool.h>

#include "buf.h"

enum gb_log_level { GB_LOG_ERROR, GB_LOG_WARNING, GB_LOG_INFO, GB_LOG_DEBUG, GB_LOG_LEVEL_COUNT };

enum gb_log_format {
    GB_LOG_TEXT,    /* time, level, message */
    GB_LOG_JSON,    /* an object a line: at, level, message */
    GB_LOG_JOURNAL, /* "<6>message": systemd's journal keeps the time itself */
};

/* Before the first call: GB_LOG_TEXT. */
void gb_log_format(enum gb_log_format format);

/* Messages above @level are dropped. @fd is borrowed and written to line by line; -1 drops all.
 * Before the first call: warnings and errors to standard error. */
void gb_log_open(int fd, enum gb_log_level level);
bool gb_log_enabled(enum gb_log_level level);

/* "error", "warning", … */
const char *gb_log_level_name(enum gb_log_level level);

/* @tap (NULL: none) hears each message up to GB_LOG_INFO, whatever the log's own level is, from
 * within the call that logs and in its thread. One for the process. */
void gb_log_tap(void (*tap)(void *arg, enum gb_log_level level, const char *message), void *arg);

void gb_log(enum gb_log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define gb_error(...) gb_log(GB_LOG_ERROR, __VA_ARGS__)
#define gb_warning(...) gb_log(GB_LOG_WARNING, __VA_ARGS__)
#define gb_info(...) gb_log(GB_LOG_INFO, __VA_ARGS__)
#define gb_debug(...)                                                                              \
    do {                                                                                           \
        if (gb_log_enabled(GB_LOG_DEBUG))                                                          \
            gb_log(GB_LOG_DEBUG, __VA_ARGS__);                                                     \
    } while (0)

/* Adds @text to @buf with control characters and bytes that are not UTF-8 as \xNN and backslashes
 * doubled, so that it can forge neither a line of the log nor an escape sequence. At most @limit
 * source bytes (no character is cut in two), then "…". */
void gb_escape(struct gb_buf *buf, struct gb_bytes text, size_t limit);

/* SPDX-License-Identifier: Apache-2.0 */
/* The log: one line per message, untrusted text escaped, one sink per process.
 *
 * Library code logs at debug level only; a failure is logged once, by the code that decides how to
 * handle it.
 */
#pragma once

#include <stdbool.h>

#include "buf.h"

enum gb_log_level { GB_LOG_ERROR, GB_LOG_WARNING, GB_LOG_INFO, GB_LOG_DEBUG, GB_LOG_LEVEL_COUNT };

enum gb_log_format {
    GB_LOG_TEXT,    /* time, level, message */
    GB_LOG_JSON,    /* one JSON object per line: at, level, message */
    GB_LOG_JOURNAL, /* "<6>message": systemd's journal adds the time */
};

/* Call it before the first message; the default is GB_LOG_TEXT. */
void gb_log_format(enum gb_log_format format);

/* Drops messages less severe than @level. Borrows @fd and writes whole lines to it; -1 drops
 * everything. Before the first call, warnings and errors go to standard error. */
void gb_log_open(int fd, enum gb_log_level level);
bool gb_log_enabled(enum gb_log_level level);

/* "error", "warning", … */
const char *gb_log_level_name(enum gb_log_level level);

/* Calls @tap (NULL: none) for each message of this thread up to GB_LOG_INFO, whatever the level of
 * the log, from within the logging call. There is one tap per thread. */
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

/* Appends @text to @buf with control characters and invalid UTF-8 as \xNN and backslashes doubled,
 * so that it can forge neither a log line nor an escape sequence. Takes at most @limit source bytes
 * (never splitting a character), then appends "…". */
void gb_escape(struct gb_buf *buf, struct gb_bytes text, size_t limit);

/* SPDX-License-Identifier: Apache-2.0 */
#include "log.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fd.h"
#include "hidden.h"
#include "utf8.h"

enum { MESSAGE_MAX = 4096 };

static const char *const level_names[] = {"error", "warning", "info", "debug"};
static_assert(ARRAY_SIZE(level_names) == GB_LOG_LEVEL_COUNT, "a name for each level");

/* The only mutable global of this module: the destination of the process's log. */
static struct {
    int fd;
    enum gb_log_level level;
    enum gb_log_format format;
} sink = {.fd = STDERR_FILENO, .level = GB_LOG_WARNING};

/* And who hears what this thread says. */
static _Thread_local void (*log_tap)(void *arg, enum gb_log_level level, const char *message);
static _Thread_local void *log_tap_arg;

void gb_log_open(int fd, enum gb_log_level level)
{
    sink.fd = fd;
    sink.level = level;
}

const char *gb_log_level_name(enum gb_log_level level)
{
    return level_names[level];
}

void gb_log_tap(void (*tap)(void *arg, enum gb_log_level level, const char *message), void *arg)
{
    log_tap = tap;
    log_tap_arg = arg;
}

bool gb_log_enabled(enum gb_log_level level)
{
    return sink.fd >= 0 && level <= sink.level;
}

void gb_log_format(enum gb_log_format format)
{
    sink.format = format;
}

void gb_escape(struct gb_buf *buf, struct gb_bytes text, size_t limit)
{
    size_t end = MIN(text.size, limit);
    uint32_t before = 0;

    if (end < text.size)
        end -= gb_utf8_unfinished((struct gb_bytes){text.data, end});
    for (size_t i = 0; i < end;) {
        size_t n = gb_utf8_sequence(text.data + i, end - i);
        uint32_t point = n > 0 ? gb_hidden_point(text.data + i, n) : text.data[i];

        if (n == 0) {
            gb_buf_addf(buf, "\\x%02x", text.data[i]);
        } else if (gb_hidden_behind(before, point)) {
            gb_hidden_show(buf, point);
            point = 0;
        } else {
            if (text.data[i] == '\\')
                gb_buf_adds(buf, "\\");
            gb_buf_add(buf, text.data + i, n);
        }
        before = n > 0 ? point : 0;
        i += n > 0 ? n : 1;
    }
    if (end < text.size)
        gb_buf_adds(buf, "…");
}

/* A JSON string; invalid UTF-8 becomes U+FFFD. */
static void add_json(struct gb_buf *buf, struct gb_bytes text, size_t limit)
{
    size_t end = MIN(text.size, limit);

    gb_buf_add_u8(buf, '"');
    for (size_t i = 0; i < end;) {
        size_t n = gb_utf8_sequence(text.data + i, end - i);

        uint32_t point = n > 0 ? gb_hidden_point(text.data + i, n) : 0;

        if (n == 0)
            gb_buf_adds(buf, "\xef\xbf\xbd");
        else if (gb_hidden(point) && point < 0x10000)
            gb_buf_addf(buf, "\\u%04x", point);
        else if (gb_hidden(point))
            gb_buf_addf(buf, "\\u%04x\\u%04x", 0xd7c0 + (point >> 10), 0xdc00 + (point & 0x3ff));
        else if (text.data[i] == '"' || text.data[i] == '\\')
            gb_buf_addf(buf, "\\%c", text.data[i]);
        else
            gb_buf_add(buf, text.data + i, n);
        i += n == 0 ? 1 : n;
    }
    gb_buf_add_u8(buf, '"');
}

static void write_line(enum gb_log_level level, struct gb_bytes message)
{
    static const int priorities[] = {3, 4, 6, 7}; /* of syslog(3) */
    static_assert(ARRAY_SIZE(priorities) == GB_LOG_LEVEL_COUNT, "a priority for each level");
    struct gb_buf line = {0};
    struct timespec now = {0};
    struct tm parts = {0};
    char stamp[32];

    (void)clock_gettime(CLOCK_REALTIME, &now);
    (void)gmtime_r(&now.tv_sec, &parts);
    (void)strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &parts);
    switch (sink.format) {
    case GB_LOG_TEXT:
        gb_buf_addf(&line, "%s.%03ldZ %s ", stamp, now.tv_nsec / 1000000, level_names[level]);
        gb_escape(&line, message, MESSAGE_MAX);
        break;
    case GB_LOG_JSON:
        gb_buf_addf(&line, "{\"at\":\"%s.%03ldZ\",\"level\":\"%s\",\"message\":", stamp,
                    now.tv_nsec / 1000000, level_names[level]);
        add_json(&line, message, MESSAGE_MAX);
        gb_buf_adds(&line, "}");
        break;
    case GB_LOG_JOURNAL:
        gb_buf_addf(&line, "<%d>", priorities[level]);
        gb_escape(&line, message, MESSAGE_MAX);
        break;
    }
    gb_buf_adds(&line, "\n");
    /* A log that cannot be written must not stop the program. */
    (void)gb_fd_write_full(sink.fd, gb_buf_data(&line), line.size);
    gb_buf_release(&line);
}

void gb_log(enum gb_log_level level, const char *format, ...)
{
    struct gb_buf message = {0};
    bool tapped = log_tap != NULL && level <= GB_LOG_INFO;
    va_list args;

    if (!gb_log_enabled(level) && !tapped)
        return;
    va_start(args, format);
    gb_buf_vaddf(&message, format, args);
    va_end(args);
    if (gb_log_enabled(level))
        write_line(level, gb_buf_bytes(&message));
    if (tapped)
        log_tap(log_tap_arg, level, gb_buf_str(&message));
    gb_buf_release(&message);
}

#include "log.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fd.h"
#include "utf8.h"

static const char *const level_names[] = {"error", "warning", "info", "debug"};
static_assert(ARRAY_SIZE(level_names) == GB_LOG_LEVEL_COUNT, "a name for each level");

/* The one mutable global of this module: where the process's log goes. */
static struct {
    int fd;
    enum gb_log_level level;
    void (*tap)(void *arg, enum gb_log_level level, const char *message);
    void *tap_arg;
} sink = {.fd = STDERR_FILENO, .level = GB_LOG_WARNING};

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
    sink.tap = tap;
    sink.tap_arg = arg;
}

bool gb_log_enabled(enum gb_log_level level)
{
    return sink.fd >= 0 && level <= sink.level;
}

void gb_escape(struct gb_buf *buf, struct gb_bytes text, size_t limit)
{
    size_t end = MIN(text.size, limit);

    for (size_t i = 0; i < end;) {
        size_t n = gb_utf8_sequence(text.data + i, end - i);

        /* C1 controls are two bytes in UTF-8: c2 80 … c2 9f. */
        if (n == 0 || (n == 1 && (text.data[i] < 0x20 || text.data[i] == 0x7f)) ||
            (n == 2 && text.data[i] == 0xc2 && text.data[i + 1] < 0xa0)) {
            gb_buf_addf(buf, "\\x%02x", text.data[i]);
            i++;
            continue;
        }
        if (text.data[i] == '\\')
            gb_buf_adds(buf, "\\");
        gb_buf_add(buf, text.data + i, n);
        i += n;
    }
    if (end < text.size)
        gb_buf_adds(buf, "…");
}

static void write_line(enum gb_log_level level, struct gb_bytes message)
{
    struct gb_buf line = {0};
    struct timespec now = {0};
    struct tm parts = {0};
    char stamp[32];

    (void)clock_gettime(CLOCK_REALTIME, &now);
    (void)gmtime_r(&now.tv_sec, &parts);
    (void)strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &parts);
    gb_buf_addf(&line, "%s.%03ldZ %s ", stamp, now.tv_nsec / 1000000, level_names[level]);
    gb_escape(&line, message, 4096);
    gb_buf_adds(&line, "\n");
    /* A log that cannot be written must not stop what it tells of. */
    (void)gb_fd_write_full(sink.fd, gb_buf_data(&line), line.size);
    gb_buf_release(&line);
}

void gb_log(enum gb_log_level level, const char *format, ...)
{
    struct gb_buf message = {0};
    bool tapped = sink.tap != NULL && level <= GB_LOG_INFO;
    va_list args;

    if (!gb_log_enabled(level) && !tapped)
        return;
    va_start(args, format);
    gb_buf_vaddf(&message, format, args);
    va_end(args);
    if (gb_log_enabled(level))
        write_line(level, gb_buf_bytes(&message));
    if (tapped)
        sink.tap(sink.tap_arg, level, gb_buf_str(&message));
    gb_buf_release(&message);
}

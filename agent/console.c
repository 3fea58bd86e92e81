/* SPDX-License-Identifier: Apache-2.0 */
#include "console.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/reboot.h>
#include <unistd.h>

static int console_fd = STDERR_FILENO;

void console_open(void)
{
    int fd = open("/dev/console", O_WRONLY | O_NOCTTY | O_CLOEXEC);

    if (fd >= 0)
        console_fd = fd;
}

int console_descriptor(void)
{
    return console_fd;
}

static void say(const char *format, va_list args) __attribute__((format(printf, 1, 0)));

static void say(const char *format, va_list args)
{
    char line[256] = "glassbell: ";
    size_t start = 10, size;
    int n = vsnprintf(line + start, sizeof(line) - start - 1, format, args);

    if (n < 0)
        return;
    size = start + (size_t)n;
    if (size > sizeof(line) - 2)
        size = sizeof(line) - 2;
    for (size_t i = start; i < size; i++) {
        if ((unsigned char)line[i] < 0x20 || (unsigned char)line[i] >= 0x7f)
            line[i] = '?';
    }
    line[size++] = '\n';
    if (write(console_fd, line, size) < 0)
        return; /* there is nowhere else to report it */
}

void console_say(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say(format, args);
    va_end(args);
}

void console_fatal(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say(format, args);
    va_end(args);
    console_power_off();
}

void console_power_off(void)
{
    /* A machine that cannot power itself off is reset instead, and the host does not let it start
     * again. */
    (void)reboot(RB_POWER_OFF);
    (void)reboot(RB_AUTOBOOT);
    for (;;)
        (void)pause();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* agent/console.h where there is no machine of ours to power off. */
#include "agent/console.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void console_say(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    (void)fputc('\n', stderr);
}

void console_fatal(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    abort();
}

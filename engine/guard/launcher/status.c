/* SPDX-License-Identifier: Apache-2.0 */
#include "guard/launcher/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void status_tell(const char *format, ...)
{
    char line[400];
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(line, sizeof(line) - 1, format, args);
    va_end(args);
    if (n < 0)
        return;
    if (n > (int)sizeof(line) - 2)
        n = (int)sizeof(line) - 2;
    for (int i = 0; i < n; i++) {
        if (line[i] == '\n')
            line[i] = ' ';
    }
    line[n] = '\n';
    /* If nobody reads, the server has died, which the lifeline reports too. */
    (void)!write(GUARD_FD_STATUS, line, (size_t)n + 1);
}

void status_give_up(const char *what, int r)
{
    status_tell("error %s: %s", what, strerror(-r));
    _exit(EXIT_LAUNCHER);
}

static const char *status_name(enum gb_guard_stage stage)
{
    switch (stage) {
#define GB_X(constant, bit, name, systems, sentence)                                               \
    case constant:                                                                                 \
        return name;
        GB_GUARD_STAGES(GB_X)
#undef GB_X
    }
    return "?";
}

void status_stage(const struct guard_options *options, enum gb_guard_stage stage, int r,
                  const char *what)
{
    if (r == 0) {
        status_tell("stage %s ok", status_name(stage));
        return;
    }
    status_tell("stage %s failed %s%s%s", status_name(stage), what, what[0] != '\0' ? ": " : "",
                strerror(-r));
    if (options->require) {
        status_tell("error isolation is required, and the stage %s failed: %s", status_name(stage),
                    strerror(-r));
        _exit(EXIT_LAUNCHER);
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "show/words.h"

#include <stdio.h>

#include "base/mem.h"

void words_size(char *to, size_t room, double bytes)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
    size_t unit = 0;

    while (bytes >= 1000 && unit + 1 < ARRAY_SIZE(units)) {
        bytes /= 1000;
        unit++;
    }
    (void)snprintf(to, room, unit == 0 || bytes >= 10 ? "%.0f %s" : "%.1f %s", bytes, units[unit]);
}

void words_age(char *to, size_t room, double seconds)
{
    if (seconds < 0)
        seconds = 0;
    if (seconds < 100)
        (void)snprintf(to, room, "%.0f s", seconds);
    else if (seconds < 6000)
        (void)snprintf(to, room, "%.0f min", seconds / 60);
    else if (seconds < 172800)
        (void)snprintf(to, room, "%.0f h", seconds / 3600);
    else
        (void)snprintf(to, room, "%.0f d", seconds / 86400);
}

void words_duration(char *to, size_t room, double ms)
{
    ms = MIN(ms, 9999 * 3600e3); /* nobody has seen such a cell end */
    if (ms < 9.95)
        (void)snprintf(to, room, "%.1f ms", ms);
    else if (ms < 999.5)
        (void)snprintf(to, room, "%.0f ms", ms);
    else if (ms < 9995)
        (void)snprintf(to, room, "%.2f s", ms / 1000);
    else if (ms < 99950)
        (void)snprintf(to, room, "%.1f s", ms / 1000);
    else if (ms < 3600e3)
        (void)snprintf(to, room, "%d:%02d min", (int)(ms / 60e3), (int)(ms / 1000) % 60);
    else
        (void)snprintf(to, room, "%d:%02d h", (int)(ms / 3600e3), (int)(ms / 60e3) % 60);
}

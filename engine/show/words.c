/* SPDX-License-Identifier: Apache-2.0 */
#include "show/words.h"

#include <stdio.h>

#include "base/mem.h"

void words_size(char *to, size_t room, double bytes)
{
    static const char units[] = "BKMGT";
    size_t unit = 0;

    while (bytes >= 1000 && units[unit + 1] != '\0') {
        bytes /= 1024;
        unit++;
    }
    (void)snprintf(to, room, unit == 0 || bytes >= 9.95 ? "%.0f%c" : "%.1f%c", bytes, units[unit]);
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

void words_short_age(char *to, size_t room, double seconds)
{
    seconds = MAX(seconds, 0.0);
    if (seconds < 10)
        (void)snprintf(to, room, "%.0fs", seconds);
    else if (seconds < 60)
        (void)snprintf(to, room, "%ds", (int)seconds / 5 * 5);
    else if (seconds < 3600)
        (void)snprintf(to, room, "%dm", (int)(seconds / 60));
    else if (seconds < 86400)
        (void)snprintf(to, room, "%dh", (int)(seconds / 3600));
    else
        (void)snprintf(to, room, "%dd", (int)MIN(seconds / 86400, 99999));
}

void words_duration(char *to, size_t room, double ms)
{
    ms = MIN(ms, 9999 * 3600e3); /* no cell has ever run this long */
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

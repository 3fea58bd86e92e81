/* SPDX-License-Identifier: Apache-2.0 */
#include "screen/size.h"

#include <stddef.h>
#include <stdio.h>

void short_size(double bytes, char text[16])
{
    static const char units[] = "BKMGT";
    size_t unit = 0;

    while (bytes >= 1000 && units[unit + 1] != '\0') {
        bytes /= 1024;
        unit++;
    }
    (void)snprintf(text, 16, unit == 0 || bytes >= 9.95 ? "%.0f%c" : "%.1f%c", bytes, units[unit]);
}

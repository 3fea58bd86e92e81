/* SPDX-License-Identifier: Apache-2.0 */
#include "base/near.h"

#include <stdint.h>
#include <string.h>

#include "base/mem.h"

size_t gb_near_distance(const char *a, const char *b)
{
    size_t rows[3][GB_NEAR_MAX + 1];
    size_t n = strlen(a), m = strlen(b);

    if (n > GB_NEAR_MAX || m > GB_NEAR_MAX)
        return SIZE_MAX;
    for (size_t j = 0; j <= m; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t *now = rows[i % 3], *before = rows[(i - 1) % 3], *earlier = rows[(i + 1) % 3];

        now[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t best = before[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);

            best = MIN(best, before[j] + 1);
            best = MIN(best, now[j - 1] + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                best = MIN(best, earlier[j - 2] + 1);
            now[j] = best;
        }
    }
    return rows[n % 3][m];
}

bool gb_near_is_typo(const char *typed, const char *word, size_t distance)
{
    const size_t shorter = MIN(strlen(typed), strlen(word));

    return distance <= 2 && 2 * distance < shorter + (distance == 1 ? 1 : 0);
}

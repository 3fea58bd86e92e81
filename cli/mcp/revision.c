/* SPDX-License-Identifier: Apache-2.0 */
#include "mcp/revision.h"

const char *const revision_names[REVISION_COUNT] = {
    "2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28",
};

enum revision revision_find(struct gb_bytes name)
{
    int i;

    for (i = 0; i < REVISION_COUNT; i++)
        if (gb_bytes_equal(name, revision_names[i]))
            break;
    return (enum revision)i;
}

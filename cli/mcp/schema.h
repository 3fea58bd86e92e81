/* SPDX-License-Identifier: Apache-2.0 */
/* What clients of the Model Context Protocol are told about the tools. */
#pragma once

#include <stddef.h>

#include "mcp/revision.h"
#include "mcp/tools.h"

struct schema_world {
    enum revision revision;
    const struct gb_languages *languages; /* NULL or empty: not known */
    bool has_network;                     /* what runs has one */
};

/* Writes the result of tools/list without its envelope: "tools" from @start on, at most @page of
 * them, and "nextCursor" if there are more. */
void schema_write_tools(struct gb_json_out *out, const struct schema_world *world, size_t start,
                        size_t page);

/* SPDX-License-Identifier: Apache-2.0 */
/* Tool results made from the socket's answers: pure functions.
 *
 * A result has text (and images) for the model and, since 2025-06-18, the same as structured
 * content for programs. The text is written for reading and is not just the structured content: the
 * program's output comes first, followed by anything unexpected in brackets.
 *
 * A guest's output is filtered for terminals (show/filter.h), and long streams lose their middle,
 * with a hint how to get it. Files are passed on byte for byte.
 */
#pragma once

#include "mcp/revision.h"
#include "mcp/tools.h"
#include "rpc/json.h"

/* What failed, as reported by the socket. */
struct content_error {
    const char *kind, *message;
    bool dispatched, retryable;
};

/* Writes the members of a tool result: "content", "structuredContent" and "isError". A failed
 * program counts as an error too, so that the model looks at it. */
void content_write(struct gb_json_out *out, enum revision revision, const struct tool *tool,
                   const struct tool_options *options, const struct gb_json *result);
/* The same for the cells of `try`, which are results of `session.exec`; or errors, if @failed says
 * so for one: objects with `kind` and `message`. */
void content_write_tries(struct gb_json_out *out, enum revision revision, const struct tool *tool,
                         const struct tool_options *options, const struct gb_json *const *results,
                         const bool *failed, size_t count);
/* The same for a call that failed. @cell is what is known about a cell that may have run, or
 * NULL. */
void content_write_error(struct gb_json_out *out, enum revision revision, const struct tool *tool,
                         const struct tool_options *options, const struct content_error *error,
                         const struct gb_json *cell);

/* Adds filtered untrusted text, without its middle if it is longer than @limit bytes. Returns the
 * number of bytes left out. */
size_t content_add_text(struct gb_buf *out, struct gb_bytes text, size_t limit);

/* SPDX-License-Identifier: Apache-2.0 */
/* Results of tools, made from what the socket answers: pure functions.
 *
 * A result has text (and images) for the model and, from 2025-06-18 on, the same as structured
 * content for programs. The text is meant to be read, so it is not the structured content written
 * out: what a program printed stands first, and in brackets behind it what a reader would not
 * expect.
 *
 * What a guest printed is shown as a terminal may show it (show/filter.h), and long streams lose
 * their middle, with a hint how to get at it. Files are handed on byte for byte.
 */
#pragma once

#include "mcp/revision.h"
#include "mcp/tools.h"
#include "rpc/json.h"

/* What failed, in the words of the socket. */
struct content_error {
    const char *kind, *message;
    bool dispatched, retryable;
};

/* Writes the members of a tool's result: "content", "structuredContent" and "isError". A program
 * that failed is an error, too, so that the model looks at it. */
void content_write(struct gb_json_out *out, enum revision revision, const struct tool *tool,
                   const struct tool_options *options, const struct gb_json *result);
/* The same for a call that failed. @cell is what is known of a cell that may have run, or NULL. */
void content_write_error(struct gb_json_out *out, enum revision revision, const struct tool *tool,
                         const struct tool_options *options, const struct content_error *error,
                         const struct gb_json *cell);

/* Adds foreign text as a terminal may show it, without its middle when it is longer than @limit
 * bytes. Returns the bytes that were left out. */
size_t content_add_text(struct gb_buf *out, struct gb_bytes text, size_t limit);

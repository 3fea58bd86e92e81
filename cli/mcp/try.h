/* SPDX-License-Identifier: Apache-2.0 */
/* The tool `try`: code that runs in forks of a session, all at the same time. The forks are bound
 * to the connection of the call, and end with it. */
#pragma once

#include "client/client.h"
#include "mcp/tools.h"

struct tries;

/* Copies the codes. */
struct tries *tries_new(const struct tool_options *options);
/* No-op on NULL. Its client must have been freed, if it has been run. */
void tries_free(struct tries *tries);
/* Runs them in the sessions of @forked, a result of `session.fork`. Calls @done once, when all have
 * ended, maybe from within. */
void tries_run(struct tries *tries, struct gb_client *client, const struct gb_json *forked,
               void (*done)(void *arg), void *arg);
/* The result of the tool, when they have ended. */
void tries_write(const struct tries *tries, struct gb_json_out *out, enum revision revision,
                 const struct tool *tool, const struct tool_options *options);

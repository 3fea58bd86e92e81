/* SPDX-License-Identifier: Apache-2.0 */
/* A call's arguments, and the parameters of the socket's method that are made of them. */
#pragma once

#include "mcp/tools.h"

/* Reads @arguments (NULL: none) and writes the parameters of the method, without braces. @err is
 * GB_EINVALID or GB_ETOOLARGE. */
int arguments_read(const struct tool *tool, const struct gb_json *arguments,
                   const struct tool_standards *standards, struct gb_json_out *params,
                   struct tool_options *ret_options, struct gb_err *err);

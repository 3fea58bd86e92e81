/* SPDX-License-Identifier: Apache-2.0 */
/* Prints a complete text to standard output. */
#pragma once

#include "base/buf.h"
#include "rpc/json.h"

/* Releases @text. Returns the exit status. */
int print_text(struct gb_buf *text);
/* On one line. */
void print_json(const struct gb_json *value);

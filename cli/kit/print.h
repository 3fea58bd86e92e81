/* SPDX-License-Identifier: Apache-2.0 */
/* What goes to standard output in one piece. */
#pragma once

#include "base/buf.h"
#include "rpc/json.h"

/* Releases @text. Returns the status to exit with. */
int print_text(struct gb_buf *text);
/* In a line. */
void print_json(const struct gb_json *value);

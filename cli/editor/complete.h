/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a text is a whole cell, as far as can be told without its language: what decides when the
 * guest does not answer in time. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"

/* False while a bracket or a string is open, the last line ends with a backslash or opens a block,
 * or is a line of an indented block. Adds to @indent (may be NULL) what the next line begins with.
 */
bool prompt_looks_complete(struct gb_bytes text, const char *unit, struct gb_buf *indent);

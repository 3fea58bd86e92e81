/* SPDX-License-Identifier: Apache-2.0 */
/* Guesses whether a text is a complete cell without knowing its language: used when the guest does
 * not answer in time. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"

/* False while a bracket or a string is open, if the last line ends with a backslash or opens a
 * block, or if it is part of an indented block. Adds the next line's indentation to @indent (may be
 * NULL). */
bool prompt_looks_complete(struct gb_bytes text, const char *unit, struct gb_buf *indent);

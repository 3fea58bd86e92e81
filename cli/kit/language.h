/* SPDX-License-Identifier: Apache-2.0 */
/* Detects a file's language by other means than its extension: the first line, or the content. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"

/* Whether the name is that of a notebook, which contains its language. */
bool language_is_notebook(const char *path);

/* The interpreter in a #! line, without its folders; for `env`, the program that it is told to run,
 * after its options and variables. Appends it to @ret_program; false if there is no such line.
 * Examines the first GB_SHEBANG_MAX bytes. */
enum { GB_SHEBANG_MAX = 256 };
bool shebang_program(struct gb_bytes code, struct gb_buf *ret_program);

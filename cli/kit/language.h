/* SPDX-License-Identifier: Apache-2.0 */
/* What tells the language of a file beside its ending: the first line, or what is inside. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"

/* The name of a notebook, which tells its language inside. */
bool language_is_notebook(const char *path);

/* The program that the first line names behind #!, without its folders: the one that `env` is told
 * to run, past its options and variables. Adds it to @ret_program; false when there is no such
 * line. Looks at the first GB_SHEBANG_MAX bytes. */
enum { GB_SHEBANG_MAX = 256 };
bool shebang_program(struct gb_bytes code, struct gb_buf *ret_program);

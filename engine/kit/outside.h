/* SPDX-License-Identifier: Apache-2.0 */
/* Edits text in the user's editor: $VISUAL, else $EDITOR, else vi; runs other programs at our
 * terminal. */
#pragma once

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/* Writes @text to a new file in $TMPDIR, else /tmp, that only the user can read; its name ends with
 * @ending ("" or ".py"). Returns 0 and the path (gives), or a failure with @err. */
int outside_write(const char *text, const char *ending, char **ret_path, struct gb_err *err);
/* Runs the editor on it and waits, without the loop. The editor owns the terminal meanwhile: the
 * caller restores the terminal's modes first, and keys that interrupt or end a program reach only
 * the editor. Returns its exit status (128 if a signal killed it), or a negative value if it cannot
 * be started. */
int outside_run(const char *path);
/* The same with a program and its arguments, the first of which is its path. Ends with NULL. */
int outside_run_program(const char *const *argv);
/* Removes the file and appends its content to @to, without trailing newlines. A file of more than
 * @most bytes is GB_ETOOLARGE. */
int outside_read(const char *path, size_t most, struct gb_buf *to, struct gb_err *err);

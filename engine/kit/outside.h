/* SPDX-License-Identifier: Apache-2.0 */
/* A text in the person's own editor: $VISUAL, else $EDITOR, else vi. */
#pragma once

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/* Writes @text to a new file of $TMPDIR, else /tmp, that only the person may read; its name ends
 * with @ending ("" or ".py"). 0 with its path (gives), or a failure with @err. */
int outside_write(const char *text, const char *ending, char **ret_path, struct gb_err *err);
/* Runs the editor on it and waits, without the loop: the terminal is the editor's meanwhile, so the
 * caller leaves it as it found it, and keys that end or interrupt a program reach the editor alone.
 * Its exit status (128 when a signal ended it); negative: it cannot be started. */
int outside_run(const char *path);
/* Removes the file, and adds what it holds now to @to, without line breaks at its end. A file of
 * more than @most bytes is GB_ETOOLARGE. */
int outside_read(const char *path, size_t most, struct gb_buf *to, struct gb_err *err);

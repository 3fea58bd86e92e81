/* SPDX-License-Identifier: Apache-2.0 */
/* How readline is set up, and what is done to its text. A place in the text is a byte; guests count
 * code points. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Readline without what a program with a loop of its own takes care of: signals, the size of the
 * window, the environment, bells, pages of completions. Reads ~/.inputrc. Borrows the streams. */
void edit_start(FILE *in, FILE *out);

bool edit_is_blank(const char *text);
size_t edit_points(const char *text, size_t size);
/* The byte at which code point @points begins, or the end. */
size_t edit_offset(const char *text, size_t points);
/* How many bytes @count texts begin with alike, in whole characters. @text_at gives each. */
size_t edit_common(const char *(*text_at)(const void *texts, size_t index), const void *texts,
                   size_t count);
/* Puts the first @size bytes of @text in place of what stands between byte @start and the cursor,
 * as one step that can be undone. False: it stood there already. */
bool edit_put(size_t start, const char *text, size_t size);
/* Calls @each with every path of this machine that begins with @path; those of folders end with a
 * slash. @each borrows. */
void edit_files(const char *path, void (*each)(void *arg, const char *path), void *arg);

/* SPDX-License-Identifier: Apache-2.0 */
/* Sets up readline and edits its text. Positions in the text are bytes; guests count code
 * points. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Starts readline without the features that a program with its own loop handles itself: signals,
 * window size, environment, bells, pages of completions. Reads ~/.inputrc. Borrows the streams. */
void edit_start(FILE *in, FILE *out);

bool edit_is_blank(const char *text);
size_t edit_points(const char *text, size_t size);
/* The byte offset of code point @points, or the end. */
size_t edit_offset(const char *text, size_t points);
/* The length in bytes of the common prefix of @count texts, in whole characters. @text_at returns
 * each. */
size_t edit_common(const char *(*text_at)(const void *texts, size_t index), const void *texts,
                   size_t count);
/* Replaces the text between byte @start and the cursor with the first @size bytes of @text, as one
 * undoable step. False: it was there already. */
bool edit_put(size_t start, const char *text, size_t size);
/* Calls @each with every local path that starts with @path; those of folders end with a slash.
 * @each borrows. */
void edit_files(const char *path, void (*each)(void *arg, const char *path), void *arg);

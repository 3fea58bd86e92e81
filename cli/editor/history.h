/* SPDX-License-Identifier: Apache-2.0 */
/* The history file of a language, shared by all of Glassbell's prompts.
 *
 * Entries may have several lines: they are separated by time stamp lines, which start with a
 * character that no line of code starts with. The list itself is readline's global one.
 */
#pragma once

#include <stdbool.h>

enum {
    HISTORY_ENTRIES_MAX = 5000,
    HISTORY_FILE_MAX = 4 << 20, /* bytes; a larger file is not read */
};

/* $XDG_STATE_HOME/glassbell/history-LANGUAGE; creates its folder. NULL if there is no place for it
 * or @language contains anything but lower case letters and digits. Gives. */
char *history_file_path(const char *language);

/* Clears readline's list and reads the file into it. @path NULL: an empty list. */
void history_file_read(const char *path);

/* Adds to the list and to the file, unless it equals the last entry. */
void history_file_add(const char *path, const char *text);

/* Truncates a file that has grown to four times the size to be kept. */
void history_file_tidy(const char *path);

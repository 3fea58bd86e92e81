/* SPDX-License-Identifier: Apache-2.0 */
/* The file that remembers what was typed in a language, shared by every prompt of Glassbell.
 *
 * Entries may have many lines: between them stand time stamp lines that begin with a character that
 * no line of code begins with. The list itself is readline's global one.
 */
#pragma once

#include <stdbool.h>

enum {
    HISTORY_ENTRIES_MAX = 5000,
    HISTORY_FILE_MAX = 4 << 20, /* bytes; a larger file is not read */
};

/* $XDG_STATE_HOME/glassbell/history-LANGUAGE; its folder is made. NULL when there is no place for
 * it or @language is no word of lower case letters and digits. Gives. */
char *history_file_path(const char *language);

/* Readies readline's list and reads the file into it. @path NULL: an empty list. */
void history_file_read(const char *path);

/* Adds to the list and to the file, unless it is what was added last. */
void history_file_add(const char *path, const char *text);

/* Cuts a file that has grown to four times what is kept. */
void history_file_tidy(const char *path);

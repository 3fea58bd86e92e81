/* SPDX-License-Identifier: Apache-2.0 */
/* The history file of a language, shared by all of Glassbell's prompts.
 *
 * Entries may have several lines: they are separated by time stamp lines, which start with a
 * character that no line of code starts with. The list itself is readline's global one.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum {
    HISTORY_ENTRIES_MAX = 5000,
    HISTORY_FILE_MAX = 4 << 20, /* bytes; a larger file is not read */
    HISTORY_VERDICT_MAX = 24,   /* bytes, with the NUL */
};

/* How entries ended when they ran last: "exit 1", "timed out"; "ok". In the file each is a line
 * like that of a time stamp, so that a program that does not know of them skips it. Embed it,
 * zeroed. */
struct history_ends {
    struct history_end {
        uint64_t hash; /* of the text */
        char verdict[HISTORY_VERDICT_MAX];
    } * list; /* oldest first */
    size_t count;
};

/* $XDG_STATE_HOME/glassbell/history-LANGUAGE; creates its folder. NULL if there is no place for it
 * or @language contains anything but lower case letters and digits. Gives. */
char *history_file_path(const char *language);

/* Clears readline's list and reads the file into it, and into @ends. @path NULL: an empty list. */
void history_file_read(const char *path, struct history_ends *ends);

/* Adds to the list and to the file, unless it equals the last entry. */
void history_file_add(const char *path, const char *text);

/* Remembers, also in the file (@path may be NULL), how the cell with this text ended. Only
 * printable ASCII of the verdict is kept. */
void history_file_tell(struct history_ends *ends, const char *path, struct gb_bytes text,
                       const char *verdict);
/* The last verdict; NULL: none is known. Borrowed until the next call of the above. */
const char *history_verdict(const struct history_ends *ends, const char *text);
void history_ends_release(struct history_ends *ends);

/* Truncates a file that has grown to four times the size to be kept. */
void history_file_tidy(const char *path);

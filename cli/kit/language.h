/* SPDX-License-Identifier: Apache-2.0 */
/* Which language a name, a file or a first line speaks of. Languages are called as their standard
 * images: "python", "javascript", "shell". All strings are static. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"

/* Of a name or alias ("py", "js", "bash", …), or NULL. */
const char *language_of_name(const char *name);

/* Of a file's name, by its ending: whatever case, and not when the ending is all of the name. NULL
 * when it tells nothing. @ret_ending (may be NULL): the ending with its dot, or "" without one; in
 * @path. */
const char *language_of_file(const char *path, const char **ret_ending);

/* The name of a notebook, which tells its language inside. */
bool language_is_notebook(const char *path);

/* The program that the first line names behind #!, without its folders: the one that `env` is told
 * to run, past its options and variables. Adds it to @ret_program; false when there is no such
 * line. Looks at the first GB_SHEBANG_MAX bytes. */
enum { GB_SHEBANG_MAX = 256 };
bool shebang_program(struct gb_bytes code, struct gb_buf *ret_program);

/* Of such a program ("python3.11", "node", "dash"), or NULL. */
const char *language_of_program(const char *program);

/* As people write it: "Python". */
const char *language_title(const char *language);

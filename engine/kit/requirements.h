/* SPDX-License-Identifier: Apache-2.0 */
/* Packages as users name them: in words, or in a file as pip reads it. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "rpc/json.h"

/* Whether @value is the path of a file: it ends in .txt, or has a slash. Names may have one too:
 * "@types/node", or one word of several. */
bool requirements_is_file(const char *value);
/* Adds what @value names to the array that is open in @out: the words of it, or the lines of a
 * file, without comments. Whether they are packages, the server decides. A file that cannot be
 * read, or is larger than 256 KiB, is an error. Blocks on the file. */
int requirements_put(const char *value, struct gb_json_out *out, struct gb_err *err);

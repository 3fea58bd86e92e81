/* SPDX-License-Identifier: Apache-2.0 */
/* A cell's result in the terms of a shell. */
#pragma once

#include "language/language.h"
#include "model/cell.h"

/* The exit status: 124 if it timed out, 128 + signal, or the program's own. */
int cell_exit_status(const struct gb_cell_info *cell);

/* Whether a program failed because it tried to read at end of file: recognised by its last line of
 * output, according to the language records. */
bool cell_wanted_input(const struct gb_cell_info *cell, const struct gb_languages *languages);

/* Whether it printed something or did not exit with 0. */
bool cell_says_anything(const struct gb_cell_info *cell);

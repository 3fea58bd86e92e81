/* SPDX-License-Identifier: Apache-2.0 */
/* A cell's result as a shell sees it. */
#pragma once

#include "language/language.h"
#include "model/cell.h"

/* The status to exit with: 124 when it timed out, 128 + signal, or the program's own. */
int cell_exit_status(const struct gb_cell_info *cell);

/* A program ended because it read and there was nothing: by the last line that it printed, which
 * the record of one of the languages knows. */
bool cell_wanted_input(const struct gb_cell_info *cell, const struct gb_languages *languages);

/* It printed something, or ended other than with 0. */
bool cell_says_anything(const struct gb_cell_info *cell);

/* SPDX-License-Identifier: Apache-2.0 */
#include "command/columns.h"

#define COLUMN_X(constant, name) [constant] = name,
const char *const column_names[COLUMN_COUNT] = {COLUMNS(COLUMN_X)};
#undef COLUMN_X

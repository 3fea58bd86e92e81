/* SPDX-License-Identifier: Apache-2.0 */
/* Cells: running code, its output, and queries to its interpreter. */
#pragma once

#include "server/core/part.h"

extern const struct gb_part cells_part;

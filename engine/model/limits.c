/* SPDX-License-Identifier: Apache-2.0 */
#include "model/limits.h"

#include "base/limits.h"
#include "base/mem.h"

#define ROW(constant_, value_, name_, doc_) {name_, constant_, doc_},

const struct gb_limit gb_limits[] = {GB_LIMITS(ROW)};
const size_t gb_limit_count = ARRAY_SIZE(gb_limits);

/* SPDX-License-Identifier: Apache-2.0 */
/* What the server reports about itself: hello and stats. */
#pragma once

#include "server/core/part.h"

extern const struct gb_part info_part;

/* SPDX-License-Identifier: Apache-2.0 */
/* The part that takes checkpoints of sessions and rewinds sessions to them. */
#pragma once

#include "server/core/part.h"

extern const struct gb_part checkpoint_part;

/* SPDX-License-Identifier: Apache-2.0 */
/* What VMs there could be: the methods that tell of the warm pool and of the room, and the one that
 * makes a template before it is needed. What they tell of is in engine/capacity.
 */
#pragma once

#include "server/core/part.h"

extern const struct gb_part pool_part;

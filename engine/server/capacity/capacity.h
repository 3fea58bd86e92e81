/* SPDX-License-Identifier: Apache-2.0 */
/* What VMs there could be: the warm pool, admission, and templates made before they are needed. */
#pragma once

#include "server/core/part.h"

extern const struct gb_part capacity_part;

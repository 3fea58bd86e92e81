/* SPDX-License-Identifier: Apache-2.0 */
/* Methods that report the warm pool and the available capacity, and the one that builds a template
 * in advance. engine/capacity does the work. */
#pragma once

#include "server/core/part.h"

extern const struct gb_part pool_part;

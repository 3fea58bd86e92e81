/* SPDX-License-Identifier: Apache-2.0 */
/* The network of sessions: which policy each has, what its guest asks for, and what of that is told
 * to whom. engine/net decides. */
#pragma once

#include "server/core/part.h"

extern const struct gb_part network_part;

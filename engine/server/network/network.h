/* SPDX-License-Identifier: Apache-2.0 */
/* The network of sessions: the policy of each, its guest's requests, and who is told about them.
 * engine/net makes the decisions. */
#pragma once

#include "server/core/part.h"

extern const struct gb_part network_part;

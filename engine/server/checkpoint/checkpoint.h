/* SPDX-License-Identifier: Apache-2.0 */
/* The part that keeps moments of sessions and takes sessions back to them. */
#pragma once

#include "server/core/part.h"

extern const struct gb_part checkpoint_part;

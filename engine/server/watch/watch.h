/* SPDX-License-Identifier: Apache-2.0 */
/* Watching: delivers events to subscribers. */
#pragma once

#include "server/core/part.h"

extern const struct gb_part watch_part;

/* SPDX-License-Identifier: Apache-2.0 */
/* Watching: what happens, as events to whoever subscribes. */
#pragma once

#include "server/core/part.h"

extern const struct gb_part watch_part;

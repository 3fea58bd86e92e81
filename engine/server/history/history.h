/* SPDX-License-Identifier: Apache-2.0 */
/* What the server writes into the journal, and what it tells from it: session.history, sessions
 * that have ended, and after a restart why they did. */
#pragma once

#include "server/core/part.h"

extern const struct gb_part history_part;

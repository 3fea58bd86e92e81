/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the journal and serves from it: session.history, ended sessions, and after a restart the
 * reasons why sessions ended. */
#pragma once

#include "server/core/part.h"

extern const struct gb_part history_part;

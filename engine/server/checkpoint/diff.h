/* SPDX-License-Identifier: Apache-2.0 */
/* `session.diff`: how two moments of sessions differ. */
#pragma once

#include "server/checkpoint/state.h"

void diff_handle(struct request *request, const struct gb_params *params);

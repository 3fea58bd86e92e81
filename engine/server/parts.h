/* SPDX-License-Identifier: Apache-2.0 */
/* All parts of the server (core/part.h), in the order given by the build. */
#pragma once

#include "server/core/part.h"

/* NULL-terminated. */
extern const struct gb_part *const gb_server_parts[];

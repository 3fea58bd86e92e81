/* SPDX-License-Identifier: Apache-2.0 */
/* All parts of the server (core/part.h), as the build lists them. */
#pragma once

#include "server/core/part.h"

/* Ends with NULL. */
extern const struct gb_part *const gb_server_parts[];

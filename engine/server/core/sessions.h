/* SPDX-License-Identifier: Apache-2.0 */
/* The methods that open, look at and close sessions. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "server/core/part.h"

extern const struct method_handler sessions_methods[];

/* Whether a filter of session.list lets @value (NULL: none) pass. */
bool sessions_match(struct gb_bytes wanted, const char *value);

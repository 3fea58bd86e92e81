/* SPDX-License-Identifier: Apache-2.0 */
/* The methods that open, list and close sessions. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "server/core/part.h"

extern const struct method_handler sessions_methods[];

/* Whether @value (NULL: none) passes a filter of session.list. */
bool sessions_match(struct gb_bytes wanted, const char *value);

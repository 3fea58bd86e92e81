/* SPDX-License-Identifier: Apache-2.0 */
/* Host names in the form in which they are compared: lower case, no trailing dot, labels of
 * letters, digits, hyphens and underscores (RFC 1123, RFC 8552). Names in other scripts are
 * compared by their A-labels (xn--…), as sent on the wire: names that look alike are not equal. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/limits.h"

/* False if it is not a name, or could be mistaken for an address (its last label is a number). */
bool gb_name_normalise(struct gb_bytes text, char name[GB_HOST_NAME_MAX + 1]);

/* Whether @pattern, a normalised name or "*." and one, matches the name. A wildcard matches all
 * names below, but not the name itself; "*" matches everything. */
bool gb_name_matches(const char *pattern, const char *name);

/* SPDX-License-Identifier: Apache-2.0 */
/* Names of hosts as they are compared: lower case, no dot at the end, labels of letters, digits,
 * hyphens and underscores (RFC 1123, RFC 8552). A name in another script is compared as it goes
 * over the wire, by its A-labels (xn--…): what looks alike is not the same. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/limits.h"

/* False: it is no name, or one that could be taken for an address (its last label is a number). */
bool gb_name_normalise(struct gb_bytes text, char name[GB_HOST_NAME_MAX + 1]);

/* Whether @pattern, a normalised name or "*." and one, covers the name. A wildcard covers all names
 * below, and not the name itself; "*" covers all. */
bool gb_name_matches(const char *pattern, const char *name);

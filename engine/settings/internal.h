/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this module share. Not for others. */
#pragma once

#include "settings/settings.h"

/* The row for a key of a section; NULL when there is none. */
const struct gb_option *option_find(const char *section, bool of_pool, struct gb_bytes key);
/* Reads a value into its field. The sentence says what is wrong, without a place. */
int option_read(const struct gb_option *option, void *field, struct gb_bytes value,
                struct gb_err *err);

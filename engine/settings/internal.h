/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of this module. Private. */
#pragma once

#include "settings/settings.h"

/* The row for a key in a section; NULL if there is none. */
const struct gb_option *option_find(const char *section, bool of_pool, struct gb_bytes key);
/* Parses a value into its field. The error says what is wrong, without a location. */
int option_read(const struct gb_option *option, void *field, struct gb_bytes value,
                struct gb_err *err);

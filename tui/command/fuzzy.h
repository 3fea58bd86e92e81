/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzy matching, for the palette and completion. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum { FUZZY_TEXT_MAX = 256, FUZZY_NONE = -1 };

/* A score for finding the characters of @typed in order in @text: FUZZY_NONE if they are not all
 * there, else higher is better: at the start, at the starts of words, adjacent. Ignores case.
 * @places (may be NULL) gets true for each matching byte of @text (up to FUZZY_TEXT_MAX). */
int fuzzy_match(const char *typed, const char *text, bool places[FUZZY_TEXT_MAX]);

/* SPDX-License-Identifier: Apache-2.0 */
/* How well a few typed letters fit a text: for the palette and for completion. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum { FUZZY_TEXT_MAX = 256, FUZZY_NONE = -1 };

/* The letters of @typed, in their order, in @text: FUZZY_NONE when they are not all there, else the
 * higher the better: at the beginning, at beginnings of words, side by side. Small and large are
 * the same. @places (may be NULL) gets a true for each byte of @text (up to FUZZY_TEXT_MAX) that
 * fits. */
int fuzzy_match(const char *typed, const char *text, bool places[FUZZY_TEXT_MAX]);

/* SPDX-License-Identifier: Apache-2.0 */
/* What a mistyped word may have meant. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { GB_NEAR_MAX = 64 /* bytes of a word */ };

/* The edit distance: letters to change, add, drop, or swap with their neighbour. SIZE_MAX if a word
 * is longer than GB_NEAR_MAX. */
size_t gb_near_distance(const char *a, const char *b);
/* Whether words at this distance may be the same one, mistyped: at most two letters, and less than
 * half of them, because a three-letter word with two different letters is another word. */
bool gb_near_is_typo(const char *typed, const char *word, size_t distance);

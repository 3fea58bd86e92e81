/* SPDX-License-Identifier: Apache-2.0 */
/* Quantities in the words that a person reads; the same in every place that shows one. */
#pragma once

#include <stddef.h>

/* "132M", "1.2G": in powers of 1024, as options and filters take them; five characters at most up
 * to some hundred terabytes. */
void words_size(char *to, size_t room, double bytes);
/* "5 s", "12 min", "3 h", "2 d": how long ago, or how much longer. */
void words_age(char *to, size_t room, double seconds);
/* The same in a column: "9s", "45s", "3m", "5h", "2d"; in steps that do not change every second
 * once it is no news. */
void words_short_age(char *to, size_t room, double seconds);
/* "1.2 ms", "210 ms", "2.10 s", "1:05 min": how long something took. */
void words_duration(char *to, size_t room, double ms);

/* SPDX-License-Identifier: Apache-2.0 */
/* Formats quantities for people; used in every place that shows one. */
#pragma once

#include <stddef.h>

/* "132M", "1.2G": in powers of 1024, as options and filters accept them; at most five characters up
 * to some hundred terabytes. */
void words_size(char *to, size_t room, double bytes);
/* "5 s", "12 min", "3 h", "2 d": how long ago, or how much longer. */
void words_age(char *to, size_t room, double seconds);
/* The same for a column: "9s", "45s", "3m", "5h", "2d"; older values change less often than once a
 * second. */
void words_short_age(char *to, size_t room, double seconds);
/* "1.2 ms", "210 ms", "2.10 s", "1:05 min": a duration. */
void words_duration(char *to, size_t room, double ms);

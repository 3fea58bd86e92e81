/* SPDX-License-Identifier: Apache-2.0 */
/* Quantities in the words that a person reads; the same in every place that shows one. */
#pragma once

#include <stddef.h>

/* "1.5 MB", "12 kB". */
void words_size(char *to, size_t room, double bytes);
/* "5 s", "12 min", "3 h", "2 d": how long ago, or how much longer. */
void words_age(char *to, size_t room, double seconds);
/* "1.2 ms", "210 ms", "2.10 s", "1:05 min": how long something took. */
void words_duration(char *to, size_t room, double ms);

/* SPDX-License-Identifier: Apache-2.0 */
/* Latency histogram with a fixed number of buckets, each a quarter of a power of two wide. */
#pragma once

#include <stdint.h>

#include "model/stats.h"

enum { GB_HISTOGRAM_BUCKETS = 128 };

struct histogram {
    uint64_t count, max_ns;
    uint32_t buckets[GB_HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *histogram, uint64_t ns);

/* The @percent quantile, exact to a quarter of a power of two. 0 if empty. */
uint64_t histogram_quantile(const struct histogram *histogram, unsigned percent);

/* As reported by `stats`. */
void histogram_describe(struct gb_latency_info *info, const struct histogram *histogram);

/* SPDX-License-Identifier: Apache-2.0 */
#include "histogram.h"

/* Everything below 2^14 ns (16 µs) is in one bucket; 31 powers of two reach 9 hours. */
enum { FIRST_POWER = 14, PER_POWER = 4 };

static unsigned histogram_bucket(uint64_t ns)
{
    unsigned power, quarter, bucket;

    if (ns < UINT64_C(1) << FIRST_POWER)
        return 0;
    power = 63u - (unsigned)__builtin_clzll(ns);
    quarter = (unsigned)(ns >> (power - 2) & 3);
    bucket = 1 + (power - FIRST_POWER) * PER_POWER + quarter;
    return bucket < GB_HISTOGRAM_BUCKETS ? bucket : GB_HISTOGRAM_BUCKETS - 1;
}

/* The smallest time above the bucket. */
static uint64_t histogram_end(unsigned bucket)
{
    unsigned power = FIRST_POWER + bucket / PER_POWER, quarter = bucket % PER_POWER;

    return (UINT64_C(1) << power) + ((uint64_t)quarter << (power - 2));
}

void histogram_add(struct histogram *histogram, uint64_t ns)
{
    histogram->count++;
    histogram->buckets[histogram_bucket(ns)]++;
    if (ns > histogram->max_ns)
        histogram->max_ns = ns;
}

uint64_t histogram_quantile(const struct histogram *histogram, unsigned percent)
{
    uint64_t wanted = (histogram->count * percent + 99) / 100, seen = 0;

    for (unsigned i = 0; i < GB_HISTOGRAM_BUCKETS && wanted > 0; i++) {
        seen += histogram->buckets[i];
        if (seen >= wanted)
            return histogram_end(i) < histogram->max_ns ? histogram_end(i) : histogram->max_ns;
    }
    return 0;
}

void histogram_describe(struct gb_latency_info *info, const struct histogram *histogram)
{
    *info = (struct gb_latency_info){.count = histogram->count,
                                     .p50_ns = histogram_quantile(histogram, 50),
                                     .p90_ns = histogram_quantile(histogram, 90),
                                     .p99_ns = histogram_quantile(histogram, 99),
                                     .max_ns = histogram->max_ns};
}

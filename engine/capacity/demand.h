/* SPDX-License-Identifier: Apache-2.0 */
/* How many VMs of a kind to keep ready, estimated from past requests.
 *
 * What counts is how many requests come at once. Each request adds one to a level that halves every
 * second; the highest level is the peak, which halves in every half-life. Single requests, two
 * seconds or more apart, need no VM kept ready.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct demand {
    double now, peak;
    uint64_t seen_ns; /* time of the values above: monotonic */
};

/* Counts a request. Times must not go back. */
void demand_add(struct demand *demand, uint64_t half_life_ms, uint64_t now_ns);
/* Decays the values to the present. A negligible peak becomes 0. */
void demand_fade(struct demand *demand, uint64_t half_life_ms, uint64_t now_ns);
/* Whether requests come in a burst, as of the last demand_add(). */
bool demand_is_burst(const struct demand *demand);
/* The target number of VMs, from @floor to @ceiling (at least @floor). */
unsigned demand_target(const struct demand *demand, unsigned floor, unsigned ceiling);

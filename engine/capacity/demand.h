/* SPDX-License-Identifier: Apache-2.0 */
/* How many VMs of a kind should stand ready, by the requests that were seen.
 *
 * What counts is how many requests come at once. Each adds one to a measure that halves in every
 * second; the largest value of that measure is the peak, and the peak halves in every half-life.
 * For single requests, two seconds and more apart, nobody has to stand ready.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct demand {
    double now, peak;
    uint64_t seen_ns; /* when they were so: monotonic */
};

/* A request. Times never go back. */
void demand_add(struct demand *demand, uint64_t half_life_ms, uint64_t now_ns);
/* Brings it up to date. A peak that is no longer worth a thought becomes 0. */
void demand_fade(struct demand *demand, uint64_t half_life_ms, uint64_t now_ns);
/* Whether requests come faster than one by one, brought up to date by demand_add(). */
bool demand_is_burst(const struct demand *demand);
/* VMs that are wanted, @floor to @ceiling (not below @floor). */
unsigned demand_target(const struct demand *demand, unsigned floor, unsigned ceiling);

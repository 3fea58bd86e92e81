/* SPDX-License-Identifier: Apache-2.0 */
/* A token bucket: so many at once, and then one in each period. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* How much is allowed; a constant of its user. @period_ns is not 0. */
struct gb_allowance_rate {
    uint64_t burst, period_ns;
};

/* Embed it, zeroed: the whole burst is left. */
struct gb_allowance {
    uint64_t counted_at_ns; /* monotonic: when `left` was last computed; 0: never */
    uint64_t left;
};

/* Takes one at the time @now_ns (monotonic, not 0, and never earlier than before). False: none is
 * left. */
bool gb_allowance_take(struct gb_allowance *allowance, const struct gb_allowance_rate *rate,
                       uint64_t now_ns);

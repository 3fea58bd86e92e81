/* SPDX-License-Identifier: Apache-2.0 */
#include "demand.h"

#include <math.h>

#include "base/clock.h"
#include "base/mem.h"

#define AT_ONCE_MS 1000.0
#define FORGOTTEN 0.25
/* A peak up to this means single requests: one, and the remainder of another one two seconds
 * earlier. */
#define SINGLE 1.25
/* More than this within a second is not just one client opening a session or two. */
#define BURST 2.5

void demand_fade(struct demand *demand, uint64_t half_life_ms, uint64_t now_ns)
{
    double ms = gb_ns_to_ms(now_ns - demand->seen_ns);

    demand->seen_ns = now_ns;
    demand->now *= exp2(-ms / AT_ONCE_MS);
    demand->peak *= exp2(-ms / (double)half_life_ms);
    if (demand->peak < FORGOTTEN)
        demand->peak = 0;
}

void demand_add(struct demand *demand, uint64_t half_life_ms, uint64_t now_ns)
{
    demand_fade(demand, half_life_ms, now_ns);
    demand->now += 1;
    demand->peak = fmax(demand->peak, demand->now);
}

bool demand_is_burst(const struct demand *demand)
{
    return demand->now > BURST;
}

unsigned demand_target(const struct demand *demand, unsigned floor, unsigned ceiling)
{
    double wanted = ceil(demand->peak - SINGLE);

    ceiling = MAX(ceiling, floor);
    if (wanted <= (double)floor)
        return floor;
    return wanted >= (double)ceiling ? ceiling : (unsigned)wanted;
}

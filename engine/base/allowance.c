/* SPDX-License-Identifier: Apache-2.0 */
#include "base/allowance.h"

#include "base/mem.h"

bool gb_allowance_take(struct gb_allowance *allowance, const struct gb_allowance_rate *rate,
                       uint64_t now_ns)
{
    uint64_t earned;

    if (allowance->counted_at_ns == 0) {
        allowance->counted_at_ns = now_ns;
        allowance->left = rate->burst;
    }
    earned = (now_ns - allowance->counted_at_ns) / rate->period_ns;
    allowance->counted_at_ns += earned * rate->period_ns; /* the rest of a period is not lost */
    allowance->left += MIN(earned, rate->burst - allowance->left);
    if (allowance->left == 0)
        return false;
    allowance->left--;
    return true;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "guard/launcher/limits.h"

#include <errno.h>

int limits_lower(limits_resource resource, rlim_t most)
{
    struct rlimit old, now = {most, most};

    if (getrlimit(resource, &old) < 0)
        return -errno;
    if (old.rlim_max != RLIM_INFINITY && old.rlim_max < most)
        now.rlim_cur = now.rlim_max = old.rlim_max;
    return setrlimit(resource, &now) < 0 ? -errno : 0;
}

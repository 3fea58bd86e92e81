/* SPDX-License-Identifier: Apache-2.0 */
/* As on Linux, by other means, and without a limit on memory, which macOS enforces for nobody. */
#include "guard/launcher/confine.h"

#include <errno.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <unistd.h>

#include "guard/launcher/darwin/seatbelt.h"
#include "guard/launcher/limits.h"

/* From <sys/ptrace.h>, which is not in every set of headers. */
int ptrace(int request, pid_t pid, char *address, int data);
enum { CONFINE_DENY_ATTACH = 31 };

static int confine_limits(unsigned descriptors)
{
    int r = limits_lower(RLIMIT_CORE, 0);

    if (r == 0)
        r = limits_lower(RLIMIT_FSIZE, 0);
    if (r == 0)
        r = limits_lower(RLIMIT_NOFILE, descriptors);
    return r;
}

int confine_enter(int lifeline, unsigned descriptors, size_t memory, const char **ret_what)
{
    int r;

    /* The end of the lifeline is what its user waits for anyway. */
    (void)lifeline;
    (void)memory;
    *ret_what = "limits";
    r = confine_limits(descriptors);
    if (r == 0) {
        *ret_what = "memory"; /* no debugger of the same user can read it */
        r = ptrace(CONFINE_DENY_ATTACH, 0, NULL, 0) < 0 ? -errno : 0;
    }
    if (r == 0) {
        *ret_what = "seatbelt";
        r = seatbelt_enter_pure();
    }
    return r;
}

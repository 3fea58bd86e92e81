/* SPDX-License-Identifier: Apache-2.0 */
/* sandbox_init() and its language are declared deprecated and undocumented, and are what browsers
 * and build systems on macOS use. */
#include "guard/launcher/darwin/seatbelt.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>

/* From <sandbox.h>, which is not in every set of headers. */
int sandbox_init(const char *profile, uint64_t flags, char **errorbuf);
void sandbox_free_error(char *errorbuf);
enum { SEATBELT_AS_TEXT = 0, SEATBELT_BY_NAME = 1 };

int seatbelt_enter(const char *profile, char *why, size_t size)
{
    char *message = NULL;

    why[0] = '\0';
    if (sandbox_init(profile, SEATBELT_AS_TEXT, &message) == 0)
        return 0;
    if (message != NULL) {
        (void)snprintf(why, size, "%s", message);
        sandbox_free_error(message);
    }
    return -EPERM;
}

int seatbelt_enter_pure(void)
{
    char *message = NULL;

    if (sandbox_init("pure-computation", SEATBELT_BY_NAME, &message) == 0)
        return 0;
    sandbox_free_error(message);
    return -EPERM;
}

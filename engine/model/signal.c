/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "model/member.h"

void gb_signal_to_string(uint32_t signum, char name[GB_SIGNAL_NAME_MAX])
{
    const char *word = signum > 0 && signum <= GB_SIGNAL_MAX ? sigabbrev_np((int)signum) : NULL;

    if (word != NULL)
        (void)snprintf(name, GB_SIGNAL_NAME_MAX, "SIG%s", word);
    else
        (void)snprintf(name, GB_SIGNAL_NAME_MAX, "SIG%u", signum);
}

bool gb_signal_from_string(struct gb_bytes name, uint32_t *ret_signum)
{
    char word[GB_SIGNAL_NAME_MAX];

    for (uint32_t signum = 1; signum <= GB_SIGNAL_MAX; signum++) {
        gb_signal_to_string(signum, word);
        if (gb_bytes_equal(name, word)) {
            *ret_signum = signum;
            return true;
        }
    }
    return false;
}

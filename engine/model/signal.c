/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/mem.h"
#include "model/member.h"

/* Guests run Linux whatever the host is, and hosts number signals differently, so the host's C
 * library is not used. Source: the manual page signal.7, the column shared by x86 and arm64. */
static const char *const signal_words[] = {
    [1] = "HUP",   [2] = "INT",     [3] = "QUIT",  [4] = "ILL",     [5] = "TRAP",  [6] = "ABRT",
    [7] = "BUS",   [8] = "FPE",     [9] = "KILL",  [10] = "USR1",   [11] = "SEGV", [12] = "USR2",
    [13] = "PIPE", [14] = "ALRM",   [15] = "TERM", [16] = "STKFLT", [17] = "CHLD", [18] = "CONT",
    [19] = "STOP", [20] = "TSTP",   [21] = "TTIN", [22] = "TTOU",   [23] = "URG",  [24] = "XCPU",
    [25] = "XFSZ", [26] = "VTALRM", [27] = "PROF", [28] = "WINCH",  [29] = "POLL", [30] = "PWR",
    [31] = "SYS",
};

void gb_signal_to_string(uint32_t signum, char name[GB_SIGNAL_NAME_MAX])
{
    const char *word = signum < ARRAY_SIZE(signal_words) ? signal_words[signum] : NULL;

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

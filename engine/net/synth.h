/* SPDX-License-Identifier: Apache-2.0 */
/* Synthetic addresses for names: one of 198.18.0.0/15 (RFC 2544) for each name that a session has
 * looked up. So a connection to one identifies the name exactly, and a guest never learns real
 * addresses. An address is never reused within a session. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"

enum { GB_SYNTH_MAX = 1000, GB_SYNTH_BURST = 100, GB_SYNTH_PER_S = 20 };

/* Zeroed is empty. */
struct gb_synth {
    char **names; /* by index */
    size_t count;
    size_t most;        /* names; 0: GB_SYNTH_MAX */
    uint64_t filled_ns; /* when the token bucket for new names was last filled */
    uint32_t tokens;    /* in thousandths of a name */
};

void gb_synth_release(struct gb_synth *synth);
/* Gives @synth, which is empty, the names of @from with the same addresses, as many as it may
 * have. */
void gb_synth_copy(struct gb_synth *synth, const struct gb_synth *from);
/* The address of the normalised name; 0 if there were too many new ones, recently (@now_ns,
 * monotonic) or in total. */
uint32_t gb_synth_address(struct gb_synth *synth, const char *name, uint64_t now_ns);
/* Whether the address is in that range; and its name, or NULL if it was not assigned. */
bool gb_synth_is(uint32_t address);
const char *gb_synth_name(const struct gb_synth *synth, uint32_t address);

/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses that stand for names: one of 198.18.0.0/15 (RFC 2544) for each name that a session has
 * asked for. So a connection to it says the name, exactly, and a guest never learns where anything
 * is. An address is not given out twice in a session. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"

enum { GB_SYNTH_MAX = 1000, GB_SYNTH_BURST = 100, GB_SYNTH_PER_S = 20 };

/* Zeroed is empty. */
struct gb_synth {
    char **names; /* by their index */
    size_t count;
    uint64_t filled_ns; /* of the bucket of new names */
    uint32_t tokens;    /* thousandths of a name */
};

void gb_synth_release(struct gb_synth *synth);
/* The address of the normalised name; 0: too many new ones, lately (@now_ns, monotonic) or at all.
 */
uint32_t gb_synth_address(struct gb_synth *synth, const char *name, uint64_t now_ns);
/* Whether the address is of that range; what it stands for, or NULL: it was not given out. */
bool gb_synth_is(uint32_t address);
const char *gb_synth_name(const struct gb_synth *synth, uint32_t address);

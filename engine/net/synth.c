/* SPDX-License-Identifier: Apache-2.0 */
#include "net/synth.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

#define NET UINT32_C(0xc6120000)
#define MASK UINT32_C(0xfffe0000)

/* The first address is the network's, the second the resolver's. */
enum { FIRST = 2, THOUSAND = 1000 };

void gb_synth_release(struct gb_synth *synth)
{
    for (size_t i = 0; i < synth->count; i++)
        free(synth->names[i]);
    free(synth->names);
    *synth = (struct gb_synth){0};
}

static size_t synth_most(const struct gb_synth *synth)
{
    return synth->most > 0 ? synth->most : GB_SYNTH_MAX;
}

static uint32_t synth_add(struct gb_synth *synth, const char *name)
{
    if (synth->names == NULL)
        synth->names = xcalloc(GB_SYNTH_MAX, sizeof(*synth->names));
    synth->names[synth->count] = xstrdup(name);
    return NET + FIRST + (uint32_t)synth->count++;
}

void gb_synth_copy(struct gb_synth *synth, const struct gb_synth *from)
{
    for (size_t i = 0; i < from->count && i < synth_most(synth); i++)
        (void)synth_add(synth, from->names[i]);
}

static bool synth_take_token(struct gb_synth *synth, uint64_t now_ns)
{
    uint64_t passed_ms, filled;

    if (synth->filled_ns == 0) {
        synth->tokens = GB_SYNTH_BURST * THOUSAND;
        synth->filled_ns = now_ns;
    }
    passed_ms = (now_ns - synth->filled_ns) / GB_NS_PER_MS;
    synth->filled_ns += passed_ms * GB_NS_PER_MS;
    filled = synth->tokens + passed_ms * (GB_SYNTH_PER_S * THOUSAND / 1000);
    synth->tokens = (uint32_t)MIN(filled, (uint64_t)GB_SYNTH_BURST * THOUSAND);
    if (synth->tokens < THOUSAND)
        return false;
    synth->tokens -= THOUSAND;
    return true;
}

uint32_t gb_synth_address(struct gb_synth *synth, const char *name, uint64_t now_ns)
{
    for (size_t i = 0; i < synth->count; i++) {
        if (strcmp(synth->names[i], name) == 0)
            return NET + FIRST + (uint32_t)i;
    }
    if (synth->count >= synth_most(synth) || !synth_take_token(synth, now_ns))
        return 0;
    return synth_add(synth, name);
}

bool gb_synth_is(uint32_t address)
{
    return (address & MASK) == NET;
}

const char *gb_synth_name(const struct gb_synth *synth, uint32_t address)
{
    uint32_t index = address - NET - FIRST;

    return gb_synth_is(address) && index < synth->count ? synth->names[index] : NULL;
}

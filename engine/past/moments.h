/* SPDX-License-Identifier: Apache-2.0 */
/* The checkpoints of a past, as its user sees them. */
#pragma once

#include "past/chain.h"
#include "past/past.h"

/* By number. */
struct past_moments {
    struct gb_past_moment *list;
    size_t count;
};

void past_moments_release(struct past_moments *moments);
/* NULL: there is none with this number. */
struct gb_past_moment *past_moments_find(const struct past_moments *moments, uint64_t seq);
/* As they are in @chain. Names stay with their moments. */
void past_moments_read(struct past_moments *moments, const struct gb_chain *chain);
/* A name belongs to a single moment. Takes @name. */
void past_moments_name(struct past_moments *moments, uint64_t seq, char *name);

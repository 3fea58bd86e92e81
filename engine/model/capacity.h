/* SPDX-License-Identifier: Apache-2.0 */
/* The warm pool and the available capacity: `pool.status`, `image.warm`. Bytes borrow from whoever
 * built the struct. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "model/member.h"

/* The VMs of one kind, and their template. */
struct gb_pool_info {
    struct gb_bytes image, network;
    uint32_t memory_mb, ready, target, floor, ceiling, starting, waiting;
    uint64_t hits, misses, lost;
    uint8_t template_state; /* enum gb_template_state */
    uint64_t template_bytes, template_made_at_s;
    struct gb_bytes template_message; /* NULL pointer: none */
    uint32_t flags;                   /* none */
};

enum gb_admission_flags {
    GB_ADMISSION_HAS_BUDGET = 1 << 0,
    GB_ADMISSION_HAS_AVAILABLE = 1 << 1,
    GB_ADMISSION_HAS_PRESSURE = 1 << 2,
};

struct gb_admission_info {
    uint64_t memory_budget, memory_used, memory_reserve, memory_available;
    double pressure, cpus;
    uint8_t memory_source, cpus_source; /* enum gb_budget_source */
    uint8_t shortage;                   /* enum gb_shortage, or GB_NO_WORD */
    uint32_t cpu_budget, vms, starting, starts, waiting;
    uint64_t granted, queued, refused;
    uint32_t flags; /* enum gb_admission_flags */
};

/* If the list of pools is absent there are no pools: the server may lack the part that reports
 * them. */
struct gb_capacity_info {
    struct gb_items pools; /* struct gb_pool_info */
    struct gb_admission_info admission;
    uint32_t flags; /* none */
};

/* A template that is ready. */
struct gb_warm_info {
    struct gb_bytes image;
    uint32_t memory_mb;
    uint64_t bytes, made_at_s;
    uint32_t flags; /* none */
};

extern const struct gb_object gb_pool_object, gb_admission_object, gb_capacity_object,
    gb_warm_object;

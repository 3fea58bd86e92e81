/* SPDX-License-Identifier: Apache-2.0 */
/* Statistics of the host, the server and the VMs, as returned by `stats`. Bytes borrow from whoever
 * built the struct. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "model/capacity.h"
#include "model/member.h"

struct gb_host_info {
    uint32_t cpus;
    uint64_t memory_total, memory_available;
    uint32_t flags; /* none */
};

/* Durations of an operation. */
struct gb_latency_info {
    uint64_t count;
    uint64_t p50_ns, p90_ns, p99_ns, max_ns;
    uint32_t flags; /* none */
};

enum gb_vm_info_flags { GB_VM_HAS_USAGE = 1 << 0 };

struct gb_vm_info {
    struct gb_bytes session; /* NULL pointer: a VM of the pool */
    uint8_t source;          /* enum gb_source, or GB_NO_WORD */
    uint8_t pool;            /* enum gb_pool_vm_state, or GB_NO_WORD */
    struct gb_bytes image;
    int64_t pid;
    uint32_t memory_mb;
    uint64_t memory_bytes, private_bytes, cpu_ns;
    uint32_t flags; /* enum gb_vm_info_flags */
};

struct gb_journal_info {
    uint64_t bytes, segments, sessions, records, failures, lost;
    struct gb_bytes trouble; /* NULL pointer: none */
    uint32_t flags;          /* none */
};

enum gb_stats_flags {
    GB_STATS_HAS_JOURNAL = 1 << 0,
    GB_STATS_HAS_CELLS = 1 << 1,    /* `cells`, and the latencies of cells */
    GB_STATS_HAS_CAPACITY = 1 << 2, /* `pools`, `admission` */
};

struct gb_stats_info {
    uint64_t uptime_ns, pid, cpu_ns, wakeups, rss_bytes, opened, cells;
    struct gb_host_info host;
    uint32_t connections;
    uint32_t sessions[GB_SESSION_CLOSED]; /* by enum gb_session_state */
    struct gb_journal_info journal;
    struct gb_latency_info open, exec, overhead;
    struct gb_items vms; /* struct gb_vm_info */
    struct gb_items pools;
    struct gb_admission_info admission;
    uint32_t flags; /* enum gb_stats_flags */
};

extern const struct gb_object gb_host_object, gb_latency_object, gb_vm_info_object, gb_stats_object;

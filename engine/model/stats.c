/* SPDX-License-Identifier: Apache-2.0 */
#include "model/stats.h"

#include <assert.h>

#include "base/limits.h"

enum { VMS_MAX = 65536, POOLS_MAX = 4096 };

/* clang-format off */
#define HOST(field_, ...) GB_MEMBER(struct gb_host_info, field_, __VA_ARGS__)
static const struct gb_member host_members[] = {
    HOST(cpus, "cpus", GB_U32, GB_ALWAYS, .doc = "CPUs that are online"),
    HOST(memory_total, "memory_total", GB_U64, GB_ALWAYS, .doc = "bytes"),
    HOST(memory_available, "memory_available", GB_U64, GB_ALWAYS, .doc = "bytes"),
};

#define LATENCY(field_, ...) GB_MEMBER(struct gb_latency_info, field_, __VA_ARGS__)
static const struct gb_member latency_members[] = {
    LATENCY(count, "count", GB_U64, GB_ALWAYS, .doc = "how many"),
    LATENCY(p50_ns, "p50_ms", GB_MS, GB_ALWAYS, .doc = "median"),
    LATENCY(p90_ns, "p90_ms", GB_MS, GB_ALWAYS, .doc = "90th percentile"),
    LATENCY(p99_ns, "p99_ms", GB_MS, GB_ALWAYS, .doc = "99 of 100"),
    LATENCY(max_ns, "max_ms", GB_MS, GB_ALWAYS, .doc = "all"),
};

#define VM(field_, ...) GB_MEMBER(struct gb_vm_info, field_, __VA_ARGS__)
static const struct gb_member vm_members[] = {
    VM(session, "session", GB_TEXT, GB_NULLABLE, .max = GB_NAME_MAX,
       .doc = "the session that it belongs to; null: the pool"),
    VM(source, "source", GB_WORD, GB_NULLABLE, .words = &gb_source_words,
       .doc = "of a session's VM: where it came from"),
    VM(pool, "pool", GB_WORD, GB_NULLABLE, .words = &gb_pool_vm_state_words,
       .doc = "of a VM of the pool: its state"),
    VM(image, "image", GB_TEXT, GB_ALWAYS, .max = GB_NAME_MAX, .doc = "its image"),
    VM(pid, "pid", GB_I64, GB_ALWAYS, .doc = "of QEMU"),
    VM(memory_mb, "memory_mb", GB_U32, GB_ALWAYS, .doc = "its RAM"),
    VM(memory_bytes, "memory_bytes", GB_U64, GB_NULLABLE, .bit = GB_VM_HAS_USAGE,
       .doc = "PSS; null until it is known"),
    VM(private_bytes, "private_bytes", GB_U64, GB_NULLABLE, .bit = GB_VM_HAS_USAGE,
       .doc = "likewise"),
    VM(cpu_ns, "cpu_ms", GB_MS, GB_NULLABLE, .bit = GB_VM_HAS_USAGE, .doc = "likewise"),
};

#define JOURNAL(field_, ...) GB_MEMBER(struct gb_journal_info, field_, __VA_ARGS__)
static const struct gb_member journal_members[] = {
    JOURNAL(bytes, "bytes", GB_U64, GB_ALWAYS, .doc = "size on disk"),
    JOURNAL(segments, "segments", GB_U64, GB_ALWAYS, .doc = "files"),
    JOURNAL(sessions, "sessions", GB_U64, GB_ALWAYS, .doc = "sessions that it has"),
    JOURNAL(records, "records", GB_U64, GB_ALWAYS, .doc = "records that it has"),
    JOURNAL(failures, "failures", GB_U64, GB_ALWAYS,
            .doc = "records that could not be written, since the server's start"),
    JOURNAL(lost, "lost", GB_U64, GB_ALWAYS, .doc = "records that were missing or damaged at "
                                                    "the server's start"),
    JOURNAL(trouble, "trouble", GB_TEXT, GB_NULLABLE, .doc = "why nothing is recorded now"),
};
static const struct gb_object journal_object = {
    GB_OBJECT_TABLE("journal", struct gb_journal_info, journal_members)};

#define STATS(field_, ...) GB_MEMBER(struct gb_stats_info, field_, __VA_ARGS__)
#define STATE(state_, name_) \
    STATS(sessions[state_], name_, GB_U32, GB_ALWAYS, .doc = "sessions")
static const struct gb_member session_count_members[] = {
    STATE(GB_SESSION_STARTING, "starting"),
    STATE(GB_SESSION_IDLE, "idle"),
    STATE(GB_SESSION_RUNNING, "running"),
    STATE(GB_SESSION_WAITING_INPUT, "waiting_input"),
    STATE(GB_SESSION_ASLEEP, "asleep"),
};
static_assert(sizeof(session_count_members) / sizeof(session_count_members[0]) == GB_SESSION_CLOSED,
              "the number of open sessions in each state");
static const struct gb_object session_count_object = {
    GB_OBJECT_TABLE("session_counts", struct gb_stats_info, session_count_members)};

static const struct gb_member latencies_members[] = {
    STATS(open, "open", GB_OBJECT, GB_ALWAYS, .object = &gb_latency_object,
          .doc = "`session.open`"),
    STATS(exec, "exec", GB_OBJECT, GB_OPTIONAL, .bit = GB_STATS_HAS_CELLS,
          .object = &gb_latency_object, .doc = "from request to reply"),
    STATS(overhead, "overhead", GB_OBJECT, GB_OPTIONAL, .bit = GB_STATS_HAS_CELLS,
          .object = &gb_latency_object, .doc = "the same without the guest's own `wall_ms`"),
};
static const struct gb_object latencies_object = {
    GB_OBJECT_TABLE("latencies", struct gb_stats_info, latencies_members)};

static const struct gb_member stats_members[] = {
    STATS(uptime_ns, "uptime_ms", GB_MS, GB_ALWAYS, .doc = "of the server"),
    STATS(pid, "pid", GB_U64, GB_ALWAYS, .doc = "of the server"),
    STATS(cpu_ns, "cpu_ms", GB_MS, GB_ALWAYS, .doc = "CPU time of the server itself"),
    STATS(wakeups, "wakeups", GB_U64, GB_ALWAYS,
          .doc = "how often the server has woken up: once for each call, and every ten seconds "
                 "to sample sessions"),
    STATS(rss_bytes, "rss_bytes", GB_U64, GB_ALWAYS, .doc = "of the server itself"),
    STATS(host, "host", GB_OBJECT, GB_ALWAYS, .object = &gb_host_object, .doc = "the machine"),
    STATS(connections, "connections", GB_U32, GB_ALWAYS, .doc = "open now"),
    STATS(uptime_ns, "sessions", GB_OBJECT, GB_ALWAYS, .object = &session_count_object,
          .doc = "number of sessions by state"),
    STATS(opened, "opened", GB_U64, GB_ALWAYS, .doc = "sessions opened since the server's start"),
    STATS(uptime_ns, "latency", GB_OBJECT, GB_ALWAYS, .object = &latencies_object,
          .doc = "how long calls took"),
    STATS(vms, "vms", GB_LIST, GB_ALWAYS, .object = &gb_vm_info_object, .max = VMS_MAX,
          .doc = "all of them"),
    STATS(cells, "cells", GB_U64, GB_OPTIONAL, .bit = GB_STATS_HAS_CELLS,
          .doc = "cells ended since the server's start"),
    STATS(journal, "journal", GB_OBJECT, GB_NULLABLE, .bit = GB_STATS_HAS_JOURNAL,
          .object = &journal_object, .doc = "the record of sessions on disk; null: there is none"),
    STATS(pools, "pools", GB_LIST, GB_OPTIONAL, .bit = GB_STATS_HAS_CAPACITY,
          .object = &gb_pool_object, .max = POOLS_MAX, .doc = "as `pool.status`"),
    STATS(admission, "admission", GB_OBJECT, GB_OPTIONAL, .bit = GB_STATS_HAS_CAPACITY,
          .object = &gb_admission_object, .doc = "as `pool.status`"),
};
/* clang-format on */

static_assert(offsetof(struct gb_stats_info, uptime_ns) == 0,
              "members of the statistics in a nested object");

const struct gb_object gb_host_object = {
    GB_OBJECT_TABLE("host", struct gb_host_info, host_members)};
const struct gb_object gb_latency_object = {
    GB_OBJECT_TABLE("latency", struct gb_latency_info, latency_members)};
const struct gb_object gb_vm_info_object = {GB_OBJECT_TABLE("vm", struct gb_vm_info, vm_members)};
const struct gb_object gb_stats_object = {
    GB_OBJECT_TABLE("stats", struct gb_stats_info, stats_members)};

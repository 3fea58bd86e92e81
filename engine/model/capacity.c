/* SPDX-License-Identifier: Apache-2.0 */
#include "model/capacity.h"

#include <assert.h>

#include "base/limits.h"

enum { POOLS_MAX = 4096 };

/* clang-format off */
#define POOL(field_, ...) GB_MEMBER(struct gb_pool_info, field_, __VA_ARGS__)
static const struct gb_member template_members[] = {
    POOL(template_state, "state", GB_WORD, GB_ALWAYS, .words = &gb_template_state_words,
         .doc = "where it is"),
    POOL(template_bytes, "bytes", GB_U64, GB_ALWAYS, .doc = "size on disk"),
    POOL(template_made_at_s, "made_at", GB_U64, GB_NULLABLE, .doc = "when it was built"),
    POOL(template_message, "message", GB_TEXT, GB_NULLABLE, .doc = "why it is missing"),
};
static const struct gb_object template_object = {
    GB_OBJECT_TABLE("template", struct gb_pool_info, template_members)};

static const struct gb_member pool_members[] = {
    POOL(image, "image", GB_TEXT, GB_ALWAYS, .max = GB_NAME_MAX, .doc = "the image of its VMs"),
    POOL(memory_mb, "memory_mb", GB_U32, GB_ALWAYS, .doc = "their RAM"),
    POOL(network, "network", GB_TEXT, GB_ALWAYS, .max = GB_NAME_MAX, .doc = "`any`: for sessions with a network, in which VMs have rehearsed one; else `none`"),
    POOL(ready, "ready", GB_U32, GB_ALWAYS, .doc = "VMs"),
    POOL(target, "target", GB_U32, GB_ALWAYS, .doc = "target number of ready VMs"),
    POOL(floor, "floor", GB_U32, GB_ALWAYS, .doc = "at least"),
    POOL(ceiling, "ceiling", GB_U32, GB_ALWAYS, .doc = "at most"),
    POOL(starting, "starting", GB_U32, GB_ALWAYS, .doc = "VMs"),
    POOL(waiting, "waiting", GB_U32, GB_ALWAYS,
         .doc = "QEMU processes waiting for a template's state"),
    POOL(hits, "hits", GB_U64, GB_ALWAYS, .doc = "sessions that got one"),
    POOL(misses, "misses", GB_U64, GB_ALWAYS, .doc = "sessions that did not"),
    POOL(lost, "lost", GB_U64, GB_ALWAYS, .doc = "VMs that died, or did not answer"),
    POOL(image, "template", GB_OBJECT, GB_ALWAYS, .object = &template_object,
         .doc = "the template that they are restored from"),
};
static_assert(offsetof(struct gb_pool_info, image) == 0,
              "members of the pool in a nested object");

#define ADMISSION(field_, ...) GB_MEMBER(struct gb_admission_info, field_, __VA_ARGS__)
static const struct gb_member admission_members[] = {
    ADMISSION(memory_budget, "memory_budget", GB_U64, GB_NULLABLE, .bit = GB_ADMISSION_HAS_BUDGET,
              .doc = "bytes for all VMs; null: no limit"),
    ADMISSION(memory_source, "memory_source", GB_WORD, GB_ALWAYS, .words = &gb_budget_source_words,
              .doc = "where the limit comes from"),
    ADMISSION(memory_used, "memory_used", GB_U64, GB_ALWAYS, .doc = "sum of the charges of all VMs"),
    ADMISSION(memory_reserve, "memory_reserve", GB_U64, GB_ALWAYS, .doc = "left alone"),
    ADMISSION(memory_available, "memory_available", GB_U64, GB_NULLABLE,
              .bit = GB_ADMISSION_HAS_AVAILABLE, .doc = "of the host, at present"),
    ADMISSION(pressure, "pressure", GB_NUMBER, GB_NULLABLE, .bit = GB_ADMISSION_HAS_PRESSURE,
              .doc = "percent"),
    ADMISSION(cpus, "cpus", GB_NUMBER, GB_ALWAYS, .doc = "for all VMs"),
    ADMISSION(cpus_source, "cpus_source", GB_WORD, GB_ALWAYS, .words = &gb_budget_source_words,
              .doc = "where the limit comes from"),
    ADMISSION(cpu_budget, "cpu_budget", GB_U32, GB_ALWAYS, .doc = "maximum number of VMs"),
    ADMISSION(vms, "vms", GB_U32, GB_ALWAYS, .doc = "now"),
    ADMISSION(starting, "starting", GB_U32, GB_ALWAYS, .doc = "of them"),
    ADMISSION(starts, "starts", GB_U32, GB_ALWAYS, .doc = "maximum number at a time"),
    ADMISSION(waiting, "waiting", GB_U32, GB_ALWAYS, .doc = "requests"),
    ADMISSION(shortage, "short", GB_WORD, GB_NULLABLE, .words = &gb_shortage_words,
              .doc = "what the first waiting request waits for"),
    ADMISSION(granted, "granted", GB_U64, GB_ALWAYS, .doc = "requests since the server's start"),
    ADMISSION(queued, "queued", GB_U64, GB_ALWAYS, .doc = "requests that had to wait"),
    ADMISSION(refused, "refused", GB_U64, GB_ALWAYS, .doc = "requests that failed for lack of "
                                                            "capacity"),
};

#define CAPACITY(field_, ...) GB_MEMBER(struct gb_capacity_info, field_, __VA_ARGS__)
static const struct gb_member capacity_members[] = {
    CAPACITY(pools, "pools", GB_LIST, GB_ALWAYS, .object = &gb_pool_object, .max = POOLS_MAX,
             .doc = "for each image, memory size and kind of network requested so far"),
    CAPACITY(admission, "admission", GB_OBJECT, GB_ALWAYS, .object = &gb_admission_object,
             .doc = "the available capacity"),
};

#define WARM(field_, ...) GB_MEMBER(struct gb_warm_info, field_, __VA_ARGS__)
static const struct gb_member warm_members[] = {
    WARM(image, "image", GB_TEXT, GB_ALWAYS, .max = GB_NAME_MAX, .doc = "its name"),
    WARM(memory_mb, "memory_mb", GB_U32, GB_ALWAYS, .doc = "RAM of its VMs"),
    WARM(bytes, "bytes", GB_U64, GB_ALWAYS, .doc = "size on disk"),
    WARM(made_at_s, "made_at", GB_U64, GB_ALWAYS, .doc = "when it was built"),
};
/* clang-format on */

const struct gb_object gb_pool_object = {
    GB_OBJECT_TABLE("pool", struct gb_pool_info, pool_members)};
const struct gb_object gb_admission_object = {
    GB_OBJECT_TABLE("admission", struct gb_admission_info, admission_members)};
const struct gb_object gb_capacity_object = {
    GB_OBJECT_TABLE("capacity", struct gb_capacity_info, capacity_members)};
const struct gb_object gb_warm_object = {
    GB_OBJECT_TABLE("warm", struct gb_warm_info, warm_members)};

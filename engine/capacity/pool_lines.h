/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by pool.c and pool_status.c. */
#pragma once

#include "capacity/demand.h"
#include "capacity/pool.h"
#include "capacity/pool_clone.h"
#include "loop/loop.h"
#include "vm/verify.h"

struct pool_line {
    struct gb_list link;
    struct gb_pool *pool;
    struct gb_pool_kind kind;
    struct gb_pool_sizes sizes;
    struct gb_list clones;
    struct demand demand;
    struct gb_template_waiter waiter;
    bool awaits_template;
    struct gb_verify_waiter verify;
    bool verified, verifying;
    unsigned failures;
    uint64_t retry_ns;
    uint64_t rest_ns; /* do not fill before this time: whoever took a VM gets the machine to
                       * itself */
    uint64_t hits, misses, lost;
};

struct gb_pool {
    struct gb_host *host;
    struct gb_templates *templates;
    struct gb_admission *admission;
    struct gb_pool_config config;
    void (*changed)(void *arg);
    void *arg;
    struct gb_list lines;
    struct gb_deferred fill, change;
    uint64_t told; /* digest of the values reported last */
    struct gb_timer *tick, *later;
    bool stopped;
};

/* Its demand as it is now. */
void pool_line_fade(struct pool_line *line);
/* How many VMs are to be ready. */
unsigned pool_line_target(const struct pool_line *line);
/* Its VMs in one of the states from @first to @last. */
unsigned pool_line_count(const struct pool_line *line, enum pool_clone_state first,
                         enum pool_clone_state last);

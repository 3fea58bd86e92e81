/* SPDX-License-Identifier: Apache-2.0 */
/* The capacity for VMs, as configured: admission, templates and pool of one host as a unit. The
 * server and the library each have one, and use `start.h` to get a VM for each session.
 *
 * Uses the sections admission, pool and templates of the settings. All functions: loop thread only.
 */
#pragma once

#include "capacity/admission.h"
#include "capacity/pool.h"
#include "capacity/templates.h"
#include "settings/settings.h"

/* Members are read-only for callers. */
struct gb_capacity {
    struct gb_host *host;
    struct gb_admission *admission;
    struct gb_templates *templates;
    struct gb_pool *pool;
    void (*freed)(void *arg);
    void *arg;
};

/* Borrows @host, which must outlive it. Starts nothing before gb_capacity_begin() or the first
 * session. @changed (may be NULL): see gb_pool_new(). Gives. */
struct gb_capacity *gb_capacity_new(struct gb_host *host, const struct gb_settings *settings,
                                    void (*changed)(void *arg), void *arg);
/* Sets the sizes of the pools: those with a floor start to fill. */
void gb_capacity_begin(struct gb_capacity *capacity, const struct gb_settings *settings);
/* Applies new settings from now on. */
void gb_capacity_configure(struct gb_capacity *capacity, const struct gb_settings *settings);
/* Ends the pool's VMs and starts no more. */
void gb_capacity_stop(struct gb_capacity *capacity);
/* No start may be in progress. @freed (may be NULL) is called from the loop once nothing uses the
 * host any more: no VM, and no thread that works on templates. */
void gb_capacity_free(struct gb_capacity *capacity, void (*freed)(void *arg), void *arg);

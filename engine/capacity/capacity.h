/* SPDX-License-Identifier: Apache-2.0 */
/* The capacity for VMs as the settings want it: admission, templates and the pool of one host, as
 * one thing. Whoever opens sessions (the server, the library) has one of these, and gives each
 * session its VM with `start.h`.
 *
 * Of the settings the sections admission, pool and templates count. All functions: loop thread
 * only.
 */
#pragma once

#include "capacity/admission.h"
#include "capacity/pool.h"
#include "capacity/templates.h"
#include "settings/settings.h"

/* Read the members, do not set them. */
struct gb_capacity {
    struct gb_host *host;
    struct gb_admission *admission;
    struct gb_templates *templates;
    struct gb_pool *pool;
    void (*freed)(void *arg);
    void *arg;
};

/* Borrows @host, which must outlive it. Nothing is started before gb_capacity_begin(), or the first
 * session. @changed (may be NULL): as of gb_pool_new(). Gives. */
struct gb_capacity *gb_capacity_new(struct gb_host *host, const struct gb_settings *settings,
                                    void (*changed)(void *arg), void *arg);
/* The pools get their sizes: those with a floor begin to fill. */
void gb_capacity_begin(struct gb_capacity *capacity, const struct gb_settings *settings);
/* Other settings, from now on. */
void gb_capacity_configure(struct gb_capacity *capacity, const struct gb_settings *settings);
/* Ends the pool's VMs, and starts no more. */
void gb_capacity_stop(struct gb_capacity *capacity);
/* No start may be under way. @freed (may be NULL) is called from the loop when nothing uses the
 * host any more: no VM, and no thread that looks after templates. */
void gb_capacity_free(struct gb_capacity *capacity, void (*freed)(void *arg), void *arg);

/* SPDX-License-Identifier: Apache-2.0 */
/* The templates of a host: found in the store, verified, built if missing, and kept for as long as
 * they are in use.
 *
 * For an image's default memory size a template is built at the first request, for any other size
 * at the second: building one for a single request is not worth it. Requests for a template that is
 * being built wait for it: restoring it costs less than booting next to the build.
 *
 * All functions: loop thread only. No callback is made from within a call.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/list.h"
#include "model/words.h"
#include "snapshot/clone.h"
#include "vm/host.h"

struct gb_admission;
struct gb_templates;

/* Borrows @host, which must outlive every object of this module. Gives. */
struct gb_templates *gb_templates_new(struct gb_host *host);
/* Cancels builds and notifies waiters. It is freed when the last VM and the last thread are done;
 * then @freed is called from the loop. */
void gb_templates_free(struct gb_templates *templates, void (*freed)(void *arg), void *arg);

/* From now on the VMs that build templates have slots of @admission (NULL: none). They are admitted
 * unconditionally, because callers that wait for a template have been promised one. */
void gb_templates_account(struct gb_templates *templates, struct gb_admission *admission);

struct gb_templates_config {
    uint64_t max_bytes;  /* disk space for all stored templates */
    uint64_t max_age_ms; /* since last use */
};
/* Sets the limits of the store and enforces them: now, after each build, and periodically. Nothing
 * is removed before the first call. */
void gb_templates_configure(struct gb_templates *templates,
                            const struct gb_templates_config *config);

struct gb_host *gb_templates_host(const struct gb_templates *templates);

/* Adds everything that a VM of this image and memory size depends on, in lines: a state saved where
 * they differ cannot be used here. */
int gb_templates_describe(const struct gb_templates *templates, const struct gb_image *image,
                          uint32_t memory_mb, struct gb_buf *key, struct gb_err *err);

/* A request that waits for a template. Embed it, zeroed; do not touch its members. */
struct gb_template_waiter {
    struct gb_list link;
    bool insists;
    void (*done)(void *arg, struct gb_snapshot *template, const struct gb_err *err);
    void *arg;
};

/* Requests the template of an image with this memory size. Returns 1 if it is ready
 * (*@ret_template: borrowed, take a reference to keep it; @done is not called), 0 if @done will be
 * called from the loop, or GB_ENOTFOUND if none is to be built, GB_EBOOT if building it failed a
 * short while ago, GB_EBUSY if another server is building it: boot in these cases. @insists: build
 * one even at the first request. */
int gb_templates_get(struct gb_templates *templates, const struct gb_image *image,
                     uint32_t memory_mb, bool insists, struct gb_snapshot **ret_template,
                     struct gb_template_waiter *waiter,
                     void (*done)(void *arg, struct gb_snapshot *template,
                                  const struct gb_err *err),
                     void *arg, struct gb_err *err);
/* No-op if it is not waiting. */
void gb_templates_cancel(struct gb_template_waiter *waiter);

/* Reports that a clone of it failed to start: the template is verified again before its next use.
 * After the second failure in a row it is removed and rebuilt, since its files may be intact and
 * yet unusable, for example saved on another processor than they claim. If the rebuilt one is no
 * better, it is not used for a minute, then for longer. */
void gb_templates_suspect(struct gb_templates *templates, const struct gb_snapshot *template);
/* Reports that a clone of it started. */
void gb_templates_trust(struct gb_templates *templates, const struct gb_snapshot *template);

struct gb_template_status {
    const struct gb_image *image;
    uint32_t memory_mb;
    enum gb_template_state state;
    uint64_t bytes, made_at_s; /* size on disk; Unix time; 0 unless READY */
    const char *message;       /* if FAILED, else NULL */
};

/* The status of one; NONE if it has not been requested yet. */
struct gb_template_status gb_templates_status(const struct gb_templates *templates,
                                              const struct gb_image *image, uint32_t memory_mb);

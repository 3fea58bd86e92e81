/* SPDX-License-Identifier: Apache-2.0 */
/* The templates of a host: found in the store, verified, made when they are missing, and handed out
 * as long as somebody uses them.
 *
 * A template is wanted for an image's own memory size at the first request, for any other size at
 * the second: what is asked for once is not worth its making. Who asks for one that is wanted waits
 * for it: restoring it costs less than booting beside its making.
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

/* Borrows @host, which must outlive everything of this module. Gives. */
struct gb_templates *gb_templates_new(struct gb_host *host);
/* Ends what is being made; what waits is told. The memory goes when the last VM and the last thread
 * are done; then @freed is called from the loop. */
void gb_templates_free(struct gb_templates *templates, void (*freed)(void *arg), void *arg);

/* The VMs that make templates have slots of @admission from now on (NULL: none). They do not ask
 * for them: whoever waits for a template has been promised one. */
void gb_templates_account(struct gb_templates *templates, struct gb_admission *admission);

struct gb_templates_config {
    uint64_t max_bytes;  /* that all stored templates may take on the disk */
    uint64_t max_age_ms; /* since the last use */
};
/* Sets the limits of the store, and sees to them: now, after each template that is made, and now
 * and then. Before the first call nothing is removed. */
void gb_templates_configure(struct gb_templates *templates,
                            const struct gb_templates_config *config);

struct gb_host *gb_templates_host(const struct gb_templates *templates);

/* Somebody who waits for a template. Embed it, zeroed; do not touch its members. */
struct gb_template_waiter {
    struct gb_list link;
    bool insists;
    void (*done)(void *arg, struct gb_snapshot *template, const struct gb_err *err);
    void *arg;
};

/* Asks for the template of an image with so much memory. Returns 1 when it is ready
 * (*@ret_template: borrowed, take a reference to keep it; @done is not called), 0 when @done will
 * be called from the loop, or GB_ENOTFOUND when none is wanted, GB_EBOOT when it could not be made
 * a short while ago, GB_EBUSY when another server is making it: boot then. @insists: it is wanted
 * whatever was asked for before. */
int gb_templates_get(struct gb_templates *templates, const struct gb_image *image,
                     uint32_t memory_mb, bool insists, struct gb_snapshot **ret_template,
                     struct gb_template_waiter *waiter,
                     void (*done)(void *arg, struct gb_snapshot *template,
                                  const struct gb_err *err),
                     void *arg, struct gb_err *err);
/* Harmless when it does not wait. */
void gb_templates_cancel(struct gb_template_waiter *waiter);

/* A clone of it did not come up: it is verified again before its next use; and when that was the
 * second one in a row it is removed and made anew, since its files may be whole and yet of no use:
 * of another processor than it says, for one. When its successor is no better, it is left alone for
 * a minute, then for longer. */
void gb_templates_suspect(struct gb_templates *templates, const struct gb_snapshot *template);
/* A clone of it came up. */
void gb_templates_trust(struct gb_templates *templates, const struct gb_snapshot *template);

struct gb_template_status {
    const struct gb_image *image;
    uint32_t memory_mb;
    enum gb_template_state state;
    uint64_t bytes, made_at_s; /* on the disk; Unix time; 0 unless READY */
    const char *message;       /* of FAILED, else NULL */
};

/* What is known of one; NONE when nobody asked for it yet. */
struct gb_template_status gb_templates_status(const struct gb_templates *templates,
                                              const struct gb_image *image, uint32_t memory_mb);

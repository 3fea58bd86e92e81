/* SPDX-License-Identifier: Apache-2.0 */
/* The making of one template: boot with the RAM in a file, warm up, stop, save. */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "pool/admission.h"
#include "vm/vm.h"

struct maker;

struct maker_config {
    const struct gb_image *image; /* borrowed until the end */
    uint32_t memory_mb;
    const char *ram_path, *state_path; /* copied */
    struct gb_slot *slot;              /* in which its process has a share; NULL: none */
};

/* Adds what it runs in the guest of such an image: a template made by other cells is another one.
 */
void maker_describe(const struct gb_image *image, struct gb_buf *text);

/* @done: once, from the loop, when the process has been reaped; @err NULL: both files are complete.
 * The maker is gone after. */
int maker_start(struct gb_host *host, const struct maker_config *config,
                void (*done)(void *arg, const struct gb_err *err), void *arg,
                struct maker **ret_maker, struct gb_err *err);
/* Ends it; @done follows with GB_ECLOSED. */
void maker_cancel(struct maker *maker);

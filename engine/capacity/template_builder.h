/* SPDX-License-Identifier: Apache-2.0 */
/* Builds one template: boots with the RAM in a file, warms up, saves. */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "capacity/admission.h"
#include "vm/vm.h"

struct template_builder;

struct template_builder_config {
    const struct gb_image *image; /* borrowed until the end */
    uint32_t memory_mb;
    const char *ram_path, *state_path; /* copied */
    struct gb_slot *slot;              /* its process holds a reference; NULL: none */
};

/* @done: called once, from the loop, when the process has been reaped; @err NULL: both files are
 * complete. The builder has been freed. */
int template_builder_start(struct gb_host *host, const struct template_builder_config *config,
                           void (*done)(void *arg, const struct gb_err *err), void *arg,
                           struct template_builder **ret_builder, struct gb_err *err);
/* Cancels the build; @done is called with GB_ECLOSED. */
void template_builder_cancel(struct template_builder *builder);

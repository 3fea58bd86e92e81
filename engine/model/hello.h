/* SPDX-License-Identifier: Apache-2.0 */
/* The result of `hello`: what the server is and what it can do. Bytes borrow from whoever built the
 * struct. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "model/member.h"

struct gb_package_info {
    struct gb_bytes name, version;
    uint32_t flags; /* none */
};

struct gb_image_info {
    struct gb_bytes name, language;
    struct gb_names aliases;
    uint32_t memory_mb;
    struct gb_items packages; /* struct gb_package_info */
    uint32_t flags;           /* none */
};

/* An isolation stage that is not applied. */
struct gb_stage_info {
    struct gb_bytes stage, why;
    uint32_t flags; /* none */
};

struct gb_hello_info {
    struct gb_bytes server, accel, accel_reason, tracking;
    uint8_t isolation; /* enum gb_isolation */
    uint32_t protocol;
    uint64_t pid, client;
    struct gb_names applied;
    struct gb_items missing; /* struct gb_stage_info */
    struct gb_items images;  /* struct gb_image_info */
    const void *languages, *limits;
    uint32_t flags; /* none */
};

extern const struct gb_object gb_hello_object, gb_image_info_object, gb_stage_object;

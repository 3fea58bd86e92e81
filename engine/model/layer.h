/* SPDX-License-Identifier: Apache-2.0 */
/* Packages on disk: `packages.list`. Bytes borrow from whoever built the struct. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "model/member.h"

struct gb_layer_info {
    struct gb_bytes key, image, packages, contents, digest;
    uint64_t bytes, used_at_s;
    uint32_t flags; /* none */
};

enum gb_layers_flags { GB_LAYERS_MORE = 1 << 0 };

struct gb_layers_info {
    struct gb_items layers; /* struct gb_layer_info */
    uint32_t flags;         /* enum gb_layers_flags */
};

extern const struct gb_object gb_layer_object, gb_layers_object;

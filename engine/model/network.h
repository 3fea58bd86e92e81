/* SPDX-License-Identifier: Apache-2.0 */
/* What a session may reach, and what it has reached. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "model/member.h"

/* `session.network` */
struct gb_network_info {
    struct gb_bytes network, rules;
    uint32_t open; /* connections */
    uint64_t opened, denied, received, sent;
    uint32_t flags; /* none */
};

extern const struct gb_object gb_network_object;

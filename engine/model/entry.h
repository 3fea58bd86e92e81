/* SPDX-License-Identifier: Apache-2.0 */
/* A file, folder or link in a session's home, as the server sends it and clients read it. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "model/member.h"

enum gb_entry_flags { GB_ENTRY_BASE64 = 1 << 0 /* in a reader: the name is in base64 */ };

struct gb_entry_info {
    struct gb_bytes name; /* borrowed */
    uint8_t type;         /* enum gb_entry_type */
    uint64_t size, allocated, mtime_ns;
    uint32_t mode;
    uint32_t flags; /* enum gb_entry_flags */
};

extern const struct gb_object gb_entry_object;

/* SPDX-License-Identifier: Apache-2.0 */
/* The supported revisions of the Model Context Protocol, oldest first.
 *
 * The oldest four start with `initialize`, which sets the revision for the life of the process.
 * Since 2026-07-28 there is no handshake: every request names its revision in `_meta`. Both kinds
 * of client are served, each by the rules of its revision.
 */
#pragma once

#include "base/buf.h"

enum revision {
    REVISION_2024_11_05,
    REVISION_2025_03_26, /* annotations, batches, messages with progress */
    REVISION_2025_06_18, /* structured content, titles; no batches */
    REVISION_2025_11_25,
    REVISION_2026_07_28, /* no handshake: _meta in each request */
    REVISION_COUNT,
    REVISION_LAST_HANDSHAKE = REVISION_2025_11_25
};

extern const char *const revision_names[REVISION_COUNT];

/* REVISION_COUNT if it is not supported. */
enum revision revision_find(struct gb_bytes name);

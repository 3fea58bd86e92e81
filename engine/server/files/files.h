/* SPDX-License-Identifier: Apache-2.0 */
/* Files in the guest. What a client transfers in one call is split into guest frames.
 *
 * An upload belongs to its connection, session and path. Pieces are passed to the guest as they
 * arrive; each call is answered when the guest has taken its last frame. While much data waits for
 * the guest, reading from the connection pauses, so that backpressure reaches a client that sends
 * without waiting.
 */
#pragma once

#include "server/core/part.h"

extern const struct gb_part files_part;

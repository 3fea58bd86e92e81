/* SPDX-License-Identifier: Apache-2.0 */
/* Files of the guest. What the client may send or ask for in one call is cut into guest frames.
 *
 * An upload belongs to its connection, session and path. Its pieces go to the guest as they come;
 * each call is answered when the guest has taken its last frame. While much waits for the guest,
 * the connection is not read, so that a client which sends without waiting fills its own socket.
 */
#pragma once

#include "server/core/part.h"

extern const struct gb_part files_part;

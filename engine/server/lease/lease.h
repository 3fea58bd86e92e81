/* SPDX-License-Identifier: Apache-2.0 */
/* Write leases: one client at a time runs cells in a session, while the others watch.
 *
 * Theory of operation. A lease belongs to a connection and ends with it. While somebody holds one,
 * it is the session's gate: a cell that another connection sends is refused (`held`), or waits for
 * as long as it was told to. Cells that were taken before the lease run on. When the lease ends,
 * those who wait go on in the order of arrival.
 *
 * The note of a release or a hand-over is a message to those who come after: it goes out with the
 * reply to the next cell of another connection.
 */
#pragma once

#include "server/core/part.h"

extern const struct gb_part lease_part;

/* SPDX-License-Identifier: Apache-2.0 */
/* Write leases: one client at a time runs cells in a session while the others watch.
 *
 * Theory of operation. A lease belongs to a connection and ends with it. While it exists, it is the
 * session's gate: a cell from another connection is refused (`held`), or waits for as long as it
 * asked to. Cells accepted before the lease keep running. When the lease ends, waiting cells
 * continue in order of arrival.
 *
 * The note given with a release or a hand-over is a message to the next clients: it is sent with
 * the reply to the next cell of another connection.
 */
#pragma once

#include "server/core/part.h"

extern const struct gb_part lease_part;

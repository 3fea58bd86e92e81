/* SPDX-License-Identifier: Apache-2.0 */
/* Records of a session's network as text. */
#pragma once

#include "base/buf.h"
#include "model/network.h"

/* Adds a record as one line without a newline and without its time; what is not ours in it is
 * escaped. */
void traffic_line(struct gb_buf *to, const struct gb_network_record *record);

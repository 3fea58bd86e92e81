/* SPDX-License-Identifier: Apache-2.0 */
/* The parts that this server has. */
#include "server/part.h"

extern const struct gb_part files_part, lease_part;

const struct gb_part *const gb_server_parts[] = {&files_part, &lease_part, NULL};

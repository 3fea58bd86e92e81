/* SPDX-License-Identifier: Apache-2.0 */
/* The methods about packages on disk. */
#pragma once

#include "server/core/part.h"

void list_handle(struct request *request, const struct gb_params *params);
void list_handle_remove(struct request *request, const struct gb_params *params);

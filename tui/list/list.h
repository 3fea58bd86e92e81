/* SPDX-License-Identifier: Apache-2.0 */
/* The list of sessions: the first view. */
#pragma once

#include "app/view.h"

/* Gives. */
struct view *list_view_new(struct tui *tui);
extern const struct command list_commands[];

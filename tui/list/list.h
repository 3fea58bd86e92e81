/* SPDX-License-Identifier: Apache-2.0 */
/* The list of sessions: the first view. */
#pragma once

#include "app/view.h"

/* Gives. */
struct view *list_view_new(struct tui *tui);
extern const struct command list_commands[];

/* Sessions that have ended, from the journal: above the list. */
extern const struct command ended_commands[];
void ended_run_show(struct tui *tui, const struct words *words);

/* SPDX-License-Identifier: Apache-2.0 */
/* One session: its cells as they come, a prompt to type into it, its files, its figures. */
#pragma once

#include "app/tui.h"

/* Made for @id, which must be in the store or in the journal. Gives. */
struct view *session_view_new(struct tui *tui, const char *id);
/* The same, to be painted as a preview and never given keys. Gives. */
struct view *session_preview_new(struct tui *tui, const char *id);
extern const struct command session_commands[];

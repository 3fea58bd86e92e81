/* SPDX-License-Identifier: Apache-2.0 */
/* One session: its cells as they run, a prompt, its files, its statistics. */
#pragma once

#include "app/tui.h"

/* @id must be in the store or in the journal. Gives. */
struct view *session_view_new(struct uplink *uplink, const char *id);
/* The same as a preview that is painted but never gets keys. Gives. */
struct view *session_preview_new(struct uplink *uplink, const char *id);
/* Of the whole view, and of its tabs of the past, of the network, and of programs at terminals. */
extern const struct command session_commands[], past_commands[], network_commands[],
    shell_commands[];

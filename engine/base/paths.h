/* SPDX-License-Identifier: Apache-2.0 */
/* The user's folders for Glassbell. Nothing is made here. */
#pragma once

/* $XDG_RUNTIME_DIR/glassbell, else /tmp/glassbell-UID. Gives. */
char *gb_path_runtime(void);

/* $XDG_CACHE_HOME/glassbell, else $HOME/.cache/glassbell, else the runtime folder. Gives. */
char *gb_path_cache(void);
/* What outlives a restart: $XDG_STATE_HOME/glassbell, else in ~/.local/state. Gives. */
char *gb_path_state(void);
/* The same, NULL where the user has no home: for what is kept there or not at all. Gives. */
char *gb_path_home_state(void);

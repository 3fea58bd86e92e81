/* SPDX-License-Identifier: Apache-2.0 */
/* Glassbell's folders of the current user. These functions only build the paths. */
#pragma once

/* $XDG_RUNTIME_DIR/glassbell, else /tmp/glassbell-UID. Gives. */
char *gb_path_runtime(void);

/* $XDG_CACHE_HOME/glassbell, else $HOME/.cache/glassbell, else the runtime folder. Gives. */
char *gb_path_cache(void);
/* For data that survives a reboot: $XDG_STATE_HOME/glassbell, else in ~/.local/state. Gives. */
char *gb_path_state(void);
/* The same, but NULL if the user has no home: for data that is better not kept at all elsewhere.
 * Gives. */
char *gb_path_home_state(void);

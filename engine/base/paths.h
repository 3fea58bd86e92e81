/* The user's folders for Glovebox. Nothing is made here. */
#pragma once

/* $XDG_RUNTIME_DIR/glovebox, else /tmp/glovebox-UID. Gives. */
char *gb_path_runtime(void);

/* $XDG_CACHE_HOME/glovebox, else $HOME/.cache/glovebox, else the runtime folder. Gives. */
char *gb_path_cache(void);
/* What outlives a restart: $XDG_STATE_HOME/glovebox, else in ~/.local/state. Gives. */
char *gb_path_state(void);

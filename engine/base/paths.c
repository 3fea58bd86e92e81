/* SPDX-License-Identifier: Apache-2.0 */
#include "paths.h"

#include <stdlib.h>
#include <unistd.h>

#include "mem.h"

/* The value of a variable if it is an absolute path, else NULL: the XDG base directory
 * specification says to ignore relative ones. */
static const char *absolute(const char *variable)
{
    const char *value = getenv(variable);

    return value != NULL && value[0] == '/' ? value : NULL;
}

char *gb_path_runtime(void)
{
    const char *base = absolute("XDG_RUNTIME_DIR");

    return base != NULL ? xasprintf("%s/glassbell", base)
                        : xasprintf("/tmp/glassbell-%lu", (unsigned long)getuid());
}

char *gb_path_home_state(void)
{
    const char *base = absolute("XDG_STATE_HOME");

    if (base != NULL)
        return xasprintf("%s/glassbell", base);
    base = absolute("HOME");
    return base != NULL ? xasprintf("%s/.local/state/glassbell", base) : NULL;
}

char *gb_path_state(void)
{
    char *path = gb_path_home_state();

    return path != NULL ? path : gb_path_runtime();
}

char *gb_path_cache(void)
{
    const char *base = absolute("XDG_CACHE_HOME");

    if (base != NULL)
        return xasprintf("%s/glassbell", base);
    base = absolute("HOME");
    return base != NULL ? xasprintf("%s/.cache/glassbell", base) : gb_path_runtime();
}

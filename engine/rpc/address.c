/* SPDX-License-Identifier: Apache-2.0 */
#include "address.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"

static const char *setting(const char *name)
{
    const char *value = getenv(name);

    return value == NULL || value[0] == '\0' ? NULL : value;
}

char *gb_socket_path(const char *given)
{
    const char *path = given != NULL && given[0] != '\0' ? given : setting("GLASSBELL_SOCKET");
    const char *runtime = setting("XDG_RUNTIME_DIR");

    if (path != NULL)
        return xstrdup(path);
    /* The XDG specification says to ignore relative paths. */
    if (runtime != NULL && runtime[0] == '/')
        return xasprintf("%s/glassbell/server.sock", runtime);
    return xasprintf("/tmp/glassbell-%ld/server.sock", (long)geteuid());
}

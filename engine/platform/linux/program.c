/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/program.h"

#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

#define PROGRAM_LINK "/proc/self/exe"

/* False if it is unknown or too long for the buffer. */
static bool program_path(char path[PATH_MAX])
{
    ssize_t n = readlink(PROGRAM_LINK, path, PATH_MAX - 1);

    if (n <= 0 || n >= PATH_MAX - 1)
        return false;
    path[n] = '\0';
    return true;
}

char *gb_program_folder(void)
{
    char path[PATH_MAX];
    const char *slash;

    if (!program_path(path) || (slash = strrchr(path, '/')) == NULL)
        return NULL;
    return xstrndup(path, (size_t)(slash - path));
}

char *gb_program_again(void)
{
    char path[PATH_MAX];

    if (!program_path(path))
        return NULL;
    /* A program file that was replaced while running can still be reached through the link. */
    return xstrdup(access(path, X_OK) == 0 ? path : PROGRAM_LINK);
}

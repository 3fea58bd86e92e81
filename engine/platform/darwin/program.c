/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/program.h"

#include <limits.h>
#include <mach-o/dyld.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

/* The path by which the program was started, links followed; NULL if the file is gone. Gives. */
static char *program_path(void)
{
    char path[PATH_MAX];
    uint32_t size = sizeof(path);

    return _NSGetExecutablePath(path, &size) == 0 ? realpath(path, NULL) : NULL;
}

char *gb_program_folder(void)
{
    _cleanup_(freep) char *path = program_path();
    const char *slash = path != NULL ? strrchr(path, '/') : NULL;

    return slash != NULL ? xstrndup(path, (size_t)(slash - path)) : NULL;
}

/* Nothing leads to a file that was removed. One that was replaced is executed in its new form. */
char *gb_program_again(void)
{
    _cleanup_(freep) char *path = program_path();

    return path != NULL && access(path, X_OK) == 0 ? TAKE_PTR(path) : NULL;
}

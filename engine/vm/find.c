/* SPDX-License-Identifier: Apache-2.0 */
#include "vm/find.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "platform/program.h"

/* Resolves the path, if it exists and permits @mode. Takes @path. Gives or NULL. */
static char *resolve(char *path, int mode)
{
    char *real = path != NULL && access(path, mode) == 0 ? realpath(path, NULL) : NULL;

    free(path);
    return real;
}

static char *images_in(char *folder)
{
    _cleanup_(freep) char *boot = xasprintf("%s/boot.json", folder);

    if (access(boot, R_OK) == 0)
        return resolve(folder, X_OK);
    free(folder);
    return NULL;
}

static char *user_images(const char *name)
{
    const char *data = getenv("XDG_DATA_HOME");
    const char *home = getenv("HOME");

    if (data != NULL && data[0] == '/')
        return images_in(xasprintf("%s/glassbell/%s", data, name));
    if (home != NULL && home[0] == '/')
        return images_in(xasprintf("%s/.local/share/glassbell/%s", home, name));
    return NULL;
}

/* Whether @folder is build/PRESET/part: only then may images and launcher be next to it. */
static bool in_build_tree(const char *folder)
{
    _cleanup_(freep) char *cache = xasprintf("%s/../CMakeCache.txt", folder);

    return access(cache, F_OK) == 0;
}

int find_machine(const struct gb_machine **ret_machine, struct gb_err *err)
{
    const char *name = getenv("GLASSBELL_GUEST_ARCH");
    struct gb_buf names = {0};

    *ret_machine = name == NULL || name[0] == '\0' ? gb_machine_native() : gb_machine_find(name);
    if (*ret_machine != NULL)
        return 0;
    gb_machine_add_names(&names);
    (void)gb_err_set(err, GB_EINVALID, "GLASSBELL_GUEST_ARCH is \"%.40s\"; it can be %s", name,
                     gb_buf_str(&names));
    gb_buf_release(&names);
    return -GB_EINVALID;
}

char *find_images_name(const struct gb_machine *machine)
{
    return machine == gb_machine_native() ? xstrdup("images")
                                          : xasprintf("images-%s", machine->debian);
}

int find_images(const struct gb_machine *machine, const char *given, char **ret_path,
                struct gb_err *err)
{
    _cleanup_(freep) char *folder = gb_program_folder();
    _cleanup_(freep) char *name = find_images_name(machine);
    char *found = NULL;

    if (given == NULL)
        given = getenv("GLASSBELL_IMAGES");
    if (given != NULL && given[0] != '\0') {
        found = images_in(xstrdup(given));
        if (found == NULL)
            return gb_err_set(err, GB_EIMAGE,
                              "there are no images in %s; build them with `glassbell image build`",
                              given);
    }
    if (found == NULL && folder != NULL)
        found = images_in(xasprintf("%s/../share/glassbell/%s", folder, name));
    if (found == NULL && folder != NULL && in_build_tree(folder))
        found = images_in(xasprintf("%s/../../%s", folder, name));
    if (found == NULL)
        found = user_images(name);
    if (found == NULL) /* a program of somebody else's that uses the library */
        found = images_in(xasprintf("%s/glassbell/%s", GB_DATADIR, name));
    if (found == NULL)
        return gb_err_set(err, GB_EIMAGE,
                          "no images for guests of %s were found; build them with `glassbell image "
                          "build`, or name their folder in $GLASSBELL_IMAGES",
                          machine->architecture);
    *ret_path = found;
    return 0;
}

static char *search_path(const char *name)
{
    const char *at = getenv("PATH");
    char *found = NULL;

    while (at != NULL && found == NULL) {
        size_t size = strcspn(at, ":");

        if (size > 0)
            found = resolve(xasprintf("%.*s/%s", (int)size, at, name), X_OK);
        at = at[size] == ':' ? at + size + 1 : NULL;
    }
    return found;
}

int find_qemu(const struct gb_machine *machine, const char *given, char **ret_path,
              struct gb_err *err)
{
    char *found;

    if (given == NULL)
        given = getenv("GLASSBELL_QEMU");
    if (given == NULL || given[0] == '\0')
        given = machine->qemu;
    found = strchr(given, '/') != NULL ? resolve(xstrdup(given), X_OK) : search_path(given);
    if (found == NULL)
        return gb_err_set(err, GB_EUNSUPPORTED,
                          "QEMU is not installed: %s cannot be run; install the package "
                          "%s, or name the program in $GLASSBELL_QEMU",
                          given, machine->qemu_package);
    *ret_path = found;
    return 0;
}

int find_firmware(const struct gb_machine *machine, const char *qemu, char **ret_path,
                  struct gb_err *err)
{
    const char *slash = strrchr(qemu, '/'), *name = machine->firmware;
    char *found = NULL;

    if (name == NULL) {
        *ret_path = NULL;
        return 0;
    }
    if (slash != NULL)
        found = resolve(xasprintf("%.*s/../share/qemu/%s", (int)(slash - qemu), qemu, name), R_OK);
    if (found == NULL)
        found = resolve(xasprintf("/usr/share/qemu/%s", name), R_OK);
    if (found == NULL)
        return gb_err_set(err, GB_EUNSUPPORTED,
                          "QEMU's firmware %s is missing; install the package %s", name,
                          machine->firmware_package);
    *ret_path = found;
    return 0;
}

int find_launcher(const char *given, char **ret_path, struct gb_err *err)
{
    _cleanup_(freep) char *folder = gb_program_folder();
    char *found = NULL;

    if (given != NULL)
        found = resolve(xstrdup(given), X_OK);
    if (given == NULL && folder != NULL)
        found = resolve(xasprintf("%s/../libexec/glassbell/glassbell-launcher", folder), X_OK);
    if (found == NULL && given == NULL && folder != NULL && in_build_tree(folder))
        found = resolve(xasprintf("%s/../glassbell-launcher", folder), X_OK);
    if (found == NULL && given == NULL)
        found = resolve(xstrdup(GB_LIBEXECDIR "/glassbell/glassbell-launcher"), X_OK);
    if (found == NULL)
        return gb_err_set(err, GB_EINTERNAL,
                          "glassbell-launcher is missing: the installation is incomplete");
    *ret_path = found;
    return 0;
}

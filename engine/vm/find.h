/* SPDX-License-Identifier: Apache-2.0 */
/* Finds installed files on this host. */
#pragma once

#include "base/err.h"
#include "machine/machine.h"

/* The machine whose guests $GLASSBELL_GUEST_ARCH asks for, else the native one. GB_EINVALID. */
int find_machine(const struct gb_machine **ret_machine, struct gb_err *err);

/* The folder's name of images for @machine: "images" for the native one, "images-" and the
 * architecture for others. Gives, as do the others. */
char *find_images_name(const struct gb_machine *machine);

/* The folder of images for @machine: @given, $GLASSBELL_IMAGES, or the first folder containing
 * boot.json of ../share/glassbell/NAME relative to the program, in a build tree NAME next to the
 * preset's folder, $XDG_DATA_HOME/glassbell/NAME and the installation's data folder, with NAME of
 * find_images_name(). GB_EIMAGE if there is none. */
int find_images(const struct gb_machine *machine, const char *given, char **ret_path,
                struct gb_err *err);

/* QEMU: @given, $GLASSBELL_QEMU, or the program for @machine in $PATH; with links resolved.
 * GB_EUNSUPPORTED. */
int find_qemu(const struct gb_machine *machine, const char *given, char **ret_path,
              struct gb_err *err);

/* The firmware that @machine needs, next to @qemu or in the system; NULL if it needs none.
 * GB_EUNSUPPORTED. */
int find_firmware(const struct gb_machine *machine, const char *qemu, char **ret_path,
                  struct gb_err *err);

/* glassbell-launcher: @given, ../libexec/glassbell relative to the program, in a build tree the
 * folder above it, or the installation's libexec folder. GB_EINTERNAL. */
int find_launcher(const char *given, char **ret_path, struct gb_err *err);

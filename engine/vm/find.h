/* SPDX-License-Identifier: Apache-2.0 */
/* Where things are on this host. */
#pragma once

#include "base/err.h"
#include "machine/machine.h"

/* The folder of images: @given, $GLASSBELL_IMAGES, or the first folder that has a boot.json among
 * ../share/glassbell/images from the program, in a build tree images beside the preset's folder,
 * $XDG_DATA_HOME/glassbell/images and the data folder of the installation. GB_EIMAGE when there is
 * none. Gives, as do the others. */
int find_images(const char *given, char **ret_path, struct gb_err *err);

/* QEMU: @given, $GLASSBELL_QEMU, or the program for @machine in $PATH; without links.
 * GB_EUNSUPPORTED. */
int find_qemu(const struct gb_machine *machine, const char *given, char **ret_path,
              struct gb_err *err);

/* The firmware that @machine needs, beside @qemu or in the system; NULL when it needs none.
 * GB_EUNSUPPORTED. */
int find_firmware(const struct gb_machine *machine, const char *qemu, char **ret_path,
                  struct gb_err *err);

/* glassbell-launcher: @given, ../libexec/glassbell from the program, in a build tree the folder
 * above it, or the libexec folder of the installation. GB_EINTERNAL. */
int find_launcher(const char *given, char **ret_path, struct gb_err *err);

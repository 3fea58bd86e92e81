/* SPDX-License-Identifier: Apache-2.0 */
/* Where things are on this host. */
#pragma once

#include "base/err.h"

/* The folder of images: @given, $GLASSBELL_IMAGES, or the first folder that has a boot.json among
 * ../share/glassbell/images from the program, in a build tree images beside the preset's folder,
 * $XDG_DATA_HOME/glassbell/images and the data folder of the installation. GB_EIMAGE when there is
 * none. Gives, as do the others. */
int find_images(const char *given, char **ret_path, struct gb_err *err);

/* QEMU: @given, $GLASSBELL_QEMU, or qemu-system-x86_64 in $PATH; without links. GB_EUNSUPPORTED. */
int find_qemu(const char *given, char **ret_path, struct gb_err *err);

/* qboot.rom among the firmware of @qemu or of the system. GB_EUNSUPPORTED. */
int find_firmware(const char *qemu, char **ret_path, struct gb_err *err);

/* glassbell-launcher: @given, ../libexec/glassbell from the program, in a build tree the folder
 * above it, or the libexec folder of the installation. GB_EINTERNAL. */
int find_launcher(const char *given, char **ret_path, struct gb_err *err);

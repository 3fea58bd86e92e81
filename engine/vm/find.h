/* Where things are on this host. */
#pragma once

#include "base/err.h"

/* The folder of images: @given, $GLOVEBOX_IMAGES, or the first folder that has a boot.json among
 * ../share/glovebox/images from the program, $XDG_DATA_HOME/glovebox/images and, in a build tree,
 * images beside the preset's folder. GB_EIMAGE when there is none. Gives, as do the others. */
int find_images(const char *given, char **ret_path, struct gb_err *err);

/* QEMU: @given, $GLOVEBOX_QEMU, or qemu-system-x86_64 in $PATH; without links. GB_EUNSUPPORTED. */
int find_qemu(const char *given, char **ret_path, struct gb_err *err);

/* qboot.rom among the firmware of @qemu or of the system. GB_EUNSUPPORTED. */
int find_firmware(const char *qemu, char **ret_path, struct gb_err *err);

/* glovebox-launcher: @given, beside the running program or in the folder above it (a build tree),
 * or in the libexec folder. GB_EINTERNAL. */
int find_launcher(const char *given, char **ret_path, struct gb_err *err);

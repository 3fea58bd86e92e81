/* SPDX-License-Identifier: Apache-2.0 */
/* The spare disk, behind which the host puts a layer of packages for this session. */
#pragma once

#include "base/err.h"
#include "init.h"

/* Mounts it, read-only, where the image's language looks for packages. What is on it comes from
 * another guest, and is no more trusted than this one's programs. GB_EUNSUPPORTED: the image has no
 * such place. GB_EINVALID: it has no file system that the kernel understands. GB_EBUSY: it was
 * mounted before. */
int packages_mount(const struct boot *boot, struct gb_err *err);

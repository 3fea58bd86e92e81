/* SPDX-License-Identifier: Apache-2.0 */
/* The seccomp filter of QEMU. */
#pragma once

#include <stdbool.h>

/* Installs the filter in the calling process; it cannot be removed. Unknown calls fail with EPERM,
 * dangerous ones kill the process. Opening a file for reading and writing, and SIGABRT sent to
 * itself, are forwarded to the reader of *@ret_listener (see launcher/opener.h), which this gives.
 * Returns 0 or -errno. */
int gb_filter_load(bool kvm, int *ret_listener);

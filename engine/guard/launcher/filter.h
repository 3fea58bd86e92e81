/* SPDX-License-Identifier: Apache-2.0 */
/* The system calls that QEMU may make. */
#pragma once

#include <stdbool.h>

/* Loads the filter into the calling process, for good. Unknown calls fail with EPERM, hostile ones
 * end the process. Opening a file for reading and writing, and SIGABRT for itself, are handed to
 * whoever reads *@ret_listener (see launcher/opener.h), which this gives. Returns 0 or -errno. */
int gb_filter_load(bool kvm, int *ret_listener);

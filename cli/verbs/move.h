/* SPDX-License-Identifier: Apache-2.0 */
/* Files into a session and out of it, one after the other, with progress on a terminal. */
#pragma once

#include "cli/files.h"

/* The first word names the session. Returns the status to exit with. */
int move_files(const struct args *args, const struct file_list *files, bool upload);

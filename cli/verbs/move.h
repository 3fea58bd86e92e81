/* SPDX-License-Identifier: Apache-2.0 */
/* Copies files into a session or out of it, one at a time, with progress on a terminal. */
#pragma once

#include "cli/files.h"

/* The first word names the session. Returns the exit status. */
int move_files(const struct args *args, const struct file_list *files, bool upload);

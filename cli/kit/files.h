/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of files to upload or download. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "cli/args.h"

struct file_pair {
    const char *local,
        *remote; /* a download's local name may be NULL: the last component of the remote one */
};

/* The list owns the strings of its pairs. */
struct file_list {
    struct file_pair *pairs;
    size_t count, capacity;
};

void file_list_release(struct file_list *list);

/* From --upload LOCAL[:REMOTE]; folders are expanded. False: the error was reported. */
bool file_list_uploads(const struct args *args, struct file_list *list);
/* From --download REMOTE[:LOCAL]; refused if several sources would write the same file. */
bool file_list_downloads(const struct args *args, size_t sources, struct file_list *list);

/* Adds a file, or what can be read as one (a device, a FIFO), or all regular files below a folder,
 * at most FILE_LIST_MAX; reports how many links and special files were skipped. @remote NULL: the
 * same name as @local. */
bool file_list_add(struct file_list *list, const char *local, const char *remote,
                   struct gb_err *err);

/* @local; if that is a folder, the last component of @remote (if it has one) in it. Gives. */
char *file_into_folder(const char *local, const char *remote);

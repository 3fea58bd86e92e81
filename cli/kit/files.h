/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of files that go into a session or come out of it. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "cli/args.h"

struct file_pair {
    const char *local,
        *remote; /* a download's local name may be NULL: the last part of the other */
};

/* The strings of the pairs are owned by the list. */
struct file_list {
    struct file_pair *pairs;
    size_t count, capacity;
};

void file_list_release(struct file_list *list);

/* From --upload LOCAL[:REMOTE]; folders with all files in them. False: the sentence was said. */
bool file_list_uploads(const struct args *args, struct file_list *list);
/* From --download REMOTE[:LOCAL]; refused when several sources would write the same file. */
bool file_list_downloads(const struct args *args, size_t sources, struct file_list *list);

/* Adds a file, or what is read as one (a device, a FIFO), or all regular files below a folder, at
 * most FILE_LIST_MAX; how many links and the like were left out there is said. @remote NULL: it is
 * called as @local. */
bool file_list_add(struct file_list *list, const char *local, const char *remote,
                   struct gb_err *err);

/* @local, or the last part of @remote (where it has one) in it when @local is a folder. Gives. */
char *file_into_folder(const char *local, const char *remote);

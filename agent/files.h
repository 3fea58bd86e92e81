/* SPDX-License-Identifier: Apache-2.0 */
/* File calls of the host, below the user's home and with the user's rights.
 *
 * A path is relative to the home, or absolute and below it. The kernel resolves every path with
 * RESOLVE_BENEATH, so neither ".." nor a symbolic link can lead outside, however fast the user's
 * processes rearrange things; and every call is made as uid and gid 1000, so the agent can do no
 * more than they could. Only regular files are read and written.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"
#include "loop.h"
#include "port.h"
#include "track/changes.h"
#include "wire/guest.h"

struct files {
    int home_fd, proc_fd;
    uint64_t reserve;        /* bytes of memory kept free, whatever the host writes */
    struct changes *changes; /* below the home */
    unsigned upload_count;   /* unfinished uploads (upload.c) */
    struct loop *loop;       /* borrowed */
    unsigned removing_count; /* folders that are being removed */
};

/* 0 or -errno. Changes made by the host are not reported as changes of a cell. */
int files_init(struct files *files, struct loop *loop, int proc_fd, uint64_t reserve);

/* Memory written by the agent is outside the user's memory limit: it must not take what the kernel
 * needs. */
int files_check_room(const struct files *files, size_t size, struct gb_err *err);

/* Requests: each answers on the port. */
void files_list(struct files *files, struct port *port, uint32_t id,
                const struct gb_file_list *request);
void files_stat(struct files *files, struct port *port, uint32_t id,
                const struct gb_file_path *request);
void files_remove(struct files *files, struct port *port, uint32_t id,
                  const struct gb_file_change *request);
void files_mkdir(struct files *files, struct port *port, uint32_t id,
                 const struct gb_file_change *request);

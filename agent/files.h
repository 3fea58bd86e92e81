/* SPDX-License-Identifier: Apache-2.0 */
/* File calls of the host, below the user's home and with the user's rights.
 *
 * A path is relative to the home, or absolute and below it. Every path is resolved by the kernel
 * with RESOLVE_BENEATH, so neither ".." nor a symbolic link leads out, however quickly the user's
 * processes move things about; and every call is made as uid and gid 1000, so that the agent can do
 * no more than they could. Only regular files are read and written.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"
#include "port.h"
#include "track/changes.h"
#include "wire/guest.h"

/* A file that is being written: without a name until it is whole. */
struct upload {
    uint32_t id; /* of the host; the slot is free when @used is false */
    bool used;
    int fd, folder_fd;
    char *path; /* its name in the folder */
    uint64_t size;
};

struct files {
    int home_fd, proc_fd;
    uint64_t reserve;        /* bytes of memory that stay free, whatever the host writes */
    struct changes *changes; /* below the home */
    struct upload uploads[GB_UPLOADS_MAX];
};

/* 0 or -errno. What the host does to files is no change of a cell's. */
int files_init(struct files *files, int proc_fd, uint64_t reserve);

/* Whether a file is on its way. */
bool files_are_open(const struct files *files);

/* Requests: each answers on the port. */
void files_write(struct files *files, struct port *port, uint32_t id,
                 const struct gb_file_write *request);
/* Makes the file @path of the home, with its folders, of these bytes; executable by @mode. As
 * files_write() does it; -GB_E… with a sentence. */
int files_put(struct files *files, struct gb_bytes path, struct gb_bytes data, mode_t mode,
              struct gb_err *err);
void files_abort(struct files *files, struct port *port, uint32_t id,
                 const struct gb_file_abort *request);
void files_read(struct files *files, struct port *port, uint32_t id,
                const struct gb_file_read *request);
void files_list(struct files *files, struct port *port, uint32_t id,
                const struct gb_file_list *request);
void files_stat(struct files *files, struct port *port, uint32_t id,
                const struct gb_file_path *request);
void files_remove(struct files *files, struct port *port, uint32_t id,
                  const struct gb_file_change *request);
void files_mkdir(struct files *files, struct port *port, uint32_t id,
                 const struct gb_file_change *request);

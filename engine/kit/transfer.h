/* SPDX-License-Identifier: Apache-2.0 */
/* Transfers one file between the host and a session, with several pieces in flight. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "client/client.h"

struct transfer;

struct transfer_config {
    const char *session;
    const char *local, *remote; /* paths of files; remote: any bytes but NUL */
    /* Bytes so far and in total; may be NULL. */
    void (*progress)(void *arg, uint64_t done, uint64_t size);
    /* Called once, from the loop: NULL when the whole file is in place. The transfer has been
     * freed. */
    void (*finished)(void *arg, const struct gb_err *err);
    void *arg;
};

/* The file appears in the session whole or not at all, with the permissions of the local file. A
 * pipe or device is read to its end. NULL with @err if it cannot be read. Owned by the caller until
 * `finished`. */
struct transfer *transfer_upload(struct gb_client *client, const struct transfer_config *config,
                                 struct gb_err *err);
/* Writes to whatever the local name refers to (local.h): a file appears whole or not at all. */
struct transfer *transfer_download(struct gb_client *client, const struct transfer_config *config,
                                   struct gb_err *err);
/* Cancels it: leaves nothing behind locally, and does not call `finished`. No-op on NULL. */
void transfer_cancel(struct transfer *transfer);

/* The local name for a guest's path: its last component; NULL if that is not a file name (`..`,
 * `/`). Gives. */
char *transfer_local_name(const char *remote);

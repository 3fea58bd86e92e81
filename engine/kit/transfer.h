/* SPDX-License-Identifier: Apache-2.0 */
/* Moving one file between the host and a session, in pieces of which several are on their way. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "client/client.h"

struct transfer;

struct transfer_config {
    const char *session;
    const char *local, *remote; /* of a file each; remote: any bytes but NUL */
    /* Bytes so far and in all; may be NULL. */
    void (*progress)(void *arg, uint64_t done, uint64_t size);
    /* Once, from the loop: NULL when the whole file is there under its name. The transfer has been
     * freed. */
    void (*finished)(void *arg, const struct gb_err *err);
    void *arg;
};

/* The file appears in the session whole or not at all, with the permissions of the local one. What
 * is no file is read to its end. NULL with @err when it cannot be read. Gives until `finished`. */
struct transfer *transfer_upload(struct gb_client *client, const struct transfer_config *config,
                                 struct gb_err *err);
/* Writes to what the local name stands for (local.h): a file appears whole or not at all. */
struct transfer *transfer_download(struct gb_client *client, const struct transfer_config *config,
                                   struct gb_err *err);
/* Drops it: nothing is left behind locally, `finished` is not called. Accepts NULL. */
void transfer_cancel(struct transfer *transfer);

/* What a guest's path is called here: its last part; NULL when that is none (`..`, `/`). Gives. */
char *transfer_local_name(const char *remote);

/* SPDX-License-Identifier: Apache-2.0 */
/* Downloads a file, or a folder with everything below it, from a session.
 *
 * A folder is walked first, one listing at a time, creating its folders locally; then its files are
 * downloaded one at a time (transfer.h), whatever bytes are in their names. Symbolic links and
 * special files are skipped and counted in the end. A file that cannot be fetched is an error. The
 * guest is not trusted: a name must be a single path component, and there are limits.
 */
#pragma once

#include "client/client.h"

enum { FETCH_FILES_MAX = 10000, FETCH_FOLDERS_MAX = 10000, FETCH_LEFT_BEHIND_MAX = 100000 };

struct fetch;

struct fetch_config {
    const char *session;
    const char *remote;
    const char *local; /* the local name */
    /* Bytes so far and in total of the current file; may be NULL. */
    void (*progress)(void *arg, uint64_t done, uint64_t size);
    /* Called once, from the loop: NULL on success. The fetch has been freed. */
    void (*finished)(void *arg, const struct gb_err *err);
    void *arg;
};

/* Owned by the caller until `finished`. */
struct fetch *fetch_start(struct gb_client *client, const struct fetch_config *config);
/* Keeps complete files; does not call `finished`. No-op on NULL. */
void fetch_cancel(struct fetch *fetch);

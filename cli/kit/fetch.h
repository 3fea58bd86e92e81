/* SPDX-License-Identifier: Apache-2.0 */
/* Fetching a file, or a folder with all that is below it, from a session.
 *
 * A folder is walked first, one listing after the other, and its folders are made here; then its
 * files come one after the other (transfer.h), whatever bytes their names have. Symbolic links and
 * special files stay behind; how many is said at the end. A file that cannot be fetched is a
 * failure. What the guest says is not trusted: a name is one part of a path and nothing else, and
 * there are limits.
 */
#pragma once

#include "client/client.h"

enum { FETCH_FILES_MAX = 10000, FETCH_FOLDERS_MAX = 10000, FETCH_LEFT_BEHIND_MAX = 100000 };

struct fetch;

struct fetch_config {
    const char *session;
    const char *remote;
    const char *local; /* what it is to be called here */
    /* Of the file under way: bytes so far and in all; may be NULL. */
    void (*progress)(void *arg, uint64_t done, uint64_t size);
    /* Once, from the loop: NULL when all is there. The fetch has been freed. */
    void (*finished)(void *arg, const struct gb_err *err);
    void *arg;
};

/* Gives until `finished`. */
struct fetch *fetch_start(struct gb_client *client, const struct fetch_config *config);
/* Whole files that came before stay; `finished` is not called. Accepts NULL. */
void fetch_cancel(struct fetch *fetch);

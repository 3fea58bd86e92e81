/* SPDX-License-Identifier: Apache-2.0 */
/* The layers on disk, in the folder `layers` of the cache.
 *
 * Theory of operation. A layer is a file system made by a builder, in a file named after the digest
 * of its content, padded with a hole to the size of the guests' spare disk. What it was made for,
 * and what is in it, is in a record named after the digest of the request (image, index, packages):
 * KEY.record. Both appear complete, and never change; they may be removed at any time, because
 * sessions keep the file open. Servers of one user share the folder.
 *
 * What a builder has made is data: it is never looked at here, only its size and its digest.
 */
#pragma once

#include <nettle/sha2.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/surplus.h"

enum {
    STORE_KEY_HEX = 32,
    STORE_DIGEST_HEX = 64,
    STORE_RECORD_MAX = 256 * 1024,
};

/* What is known of a layer. Zeroed is empty. */
struct layer {
    char key[STORE_KEY_HEX + 1], digest[STORE_DIGEST_HEX + 1];
    uint64_t bytes;                    /* of the file system */
    struct gb_buf image, wanted, lock; /* lines: a name; what was asked for; what is in it */
};
void layer_release(struct layer *layer);

/* The name of a request. */
void store_key(struct gb_bytes request, char ret_key[STORE_KEY_HEX + 1]);

/* Opens the layer with that key: a descriptor. GB_ENOTFOUND: there is none, or it is damaged. Marks
 * it as the most recently used. */
int store_open(const char *folder, const char *key, struct layer *ret_layer, struct gb_err *err);

/* Opens a layer by its digest. GB_ENOTFOUND. */
int store_open_layer(const char *folder, struct gb_bytes digest, struct gb_err *err);

/* The keys of all records, and when each was last used. */
struct store_entry {
    char key[STORE_KEY_HEX + 1];
    time_t used;
};
/* Gives @ret_entries, sorted by key (free()); returns their number. No record is read. */
size_t store_list(const char *folder, struct store_entry **ret_entries);
/* What is known of one, without opening it. False: nothing. */
bool store_look(const char *folder, const char *key, struct layer *ret_layer);
/* What the layer takes on disk; 0: it is not there. */
uint64_t store_disk_bytes(const char *folder, const char *digest);
/* Removes a record, and its layer unless another record names it. False: there is none. Blocks on
 * the disk: for the thread pool. */
bool store_remove(const char *folder, const char *key);
/* Removes by @limits, but not @keep (NULL: nothing), and layers that no record names. Reads all
 * records. Blocks on the disk: for the thread pool. */
void store_evict(const char *folder, const struct gb_surplus_limits *limits, const char *keep);

/* A layer that is being received. Zero is not empty: STORE_DRAFT_NONE. */
struct store_draft {
    int fd;
    uint64_t bytes;
    struct sha256_ctx digest;
};
#define STORE_DRAFT_NONE ((struct store_draft){.fd = -1})
int store_begin(const char *folder, struct store_draft *ret_draft, struct gb_err *err);
int store_add(struct store_draft *draft, struct gb_bytes piece, struct gb_err *err);
/* Fills in layer->digest and layer->bytes, and makes both files appear. Blocks on the disk: for the
 * thread pool. */
int store_publish(const char *folder, struct store_draft *draft, struct layer *layer,
                  struct gb_err *err);
void store_drop(struct store_draft *draft);

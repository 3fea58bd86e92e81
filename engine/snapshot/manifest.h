/* SPDX-License-Identifier: Apache-2.0 */
/* The text file that describes a template's files. It may be foreign: parsed strictly, at most
 * SNAPSHOT_MANIFEST_MAX bytes. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum { SNAPSHOT_MANIFEST_MAX = 64 * 1024, SNAPSHOT_MANIFEST_DIGEST_HEX = 64 };

struct snapshot_manifest_file {
    uint64_t bytes;
    char sha256[SNAPSHOT_MANIFEST_DIGEST_HEX + 1]; /* made by gb_snapshot_digest() */
};

struct snapshot_manifest {
    struct snapshot_manifest_file ram, state;
    uint64_t made_at_s;  /* Unix time */
    struct gb_bytes key; /* borrowed: everything that the template depends on, in lines */
};

/* Appends the text. */
void snapshot_manifest_write(struct gb_buf *text, const struct snapshot_manifest *manifest);

/* Borrows @text for the life of @ret_manifest. GB_EINVALID with a message. */
int snapshot_manifest_parse(struct gb_bytes text, struct snapshot_manifest *ret_manifest,
                            struct gb_err *err);

/* SPDX-License-Identifier: Apache-2.0 */
/* The text that lies beside a template's files and says what they are. It is a file and so foreign:
 * parsed strictly, at most MANIFEST_MAX bytes. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum { MANIFEST_MAX = 64 * 1024, MANIFEST_DIGEST_HEX = 64 };

struct manifest_file {
    uint64_t bytes;
    char sha256[MANIFEST_DIGEST_HEX + 1]; /* as store_digest() makes it */
};

struct manifest {
    struct manifest_file ram, state;
    uint64_t made_at_s;  /* Unix time */
    struct gb_bytes key; /* borrowed: everything that made the template, in lines */
};

/* Adds the text. */
void manifest_write(struct gb_buf *text, const struct manifest *manifest);

/* Borrows @text for the life of @ret_manifest. GB_EINVALID with what is wrong. */
int manifest_parse(struct gb_bytes text, struct manifest *ret_manifest, struct gb_err *err);

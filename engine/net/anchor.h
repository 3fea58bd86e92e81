/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates of authorities that this host trusts beside the public ones: those that its owner
 * has added to the system's, and those that its package managers are told about (`PIP_CERT`,
 * `NODE_EXTRA_CA_CERTS`). A guest that is to use the host's package index needs them, for instance
 * where a proxy of the site stands before it. */
#pragma once

#include <stddef.h>

#include "base/buf.h"

enum { GB_ANCHORS_MAX = 12 * 1024 }; /* bytes */

/* What was read, for as long as no file changes. Zeroed is empty. */
struct gb_anchors {
    struct gb_buf pem, state;
};
/* As PEM, at most GB_ANCHORS_MAX bytes; those that do not fit are left out, and so are files above
 * 64 KiB. Looks at the files' times each time, and reads them again if one has changed. Borrows
 * until the next call. */
struct gb_bytes gb_anchors_read(struct gb_anchors *anchors);
void gb_anchors_release(struct gb_anchors *anchors);

/* Adds the certificates of a text in PEM, without what is between them, to @pem: those that it does
 * not have yet, and for which there is room in @room bytes. */
void gb_anchors_take(struct gb_bytes text, size_t room, struct gb_buf *pem);

/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates that programs of this session trust in addition to the image's. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

/* TRUST: GB_GUEST_CERTIFICATES has the image's certificates and these, and so has the file in /etc
 * that most programs read, if the image has one. 0 or a code. */
int trust_set(struct gb_bytes certificates, struct gb_err *err);

/* SPDX-License-Identifier: Apache-2.0 */
/* What clients may ask for: packages by name, with versions and digests. Options of a package
 * manager, addresses, paths and everything else that it would understand is refused. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

/* NAME or @SCOPE/NAME, extras in brackets, a version (`==1.2`, `>=1,<2`, `@1.2`), a marker after a
 * semicolon, and ` --hash=ALGORITHM:VALUE`, which may be repeated. GB_EINVALID, with the line. */
int requirement_check(struct gb_bytes line, struct gb_err *err);

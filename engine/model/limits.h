/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of base/limits.h as a table, for `hello` and docs/protocol.md. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct gb_limit {
    const char *name; /* in the result of `hello`; NULL: not included */
    uint64_t value;
    const char *doc;
};

extern const struct gb_limit gb_limits[];
extern const size_t gb_limit_count;

/* SPDX-License-Identifier: Apache-2.0 */
/* The answer `always`: the rule goes into the policy of the settings file that the session was
 * given, before it is the session's. */
#pragma once

#include <stdint.h>

#include "base/err.h"

struct hosted;
struct request;

/* The rule has been written, or could not be (@err). @request: NULL if it has gone. */
typedef void always_fn(struct hosted *hosted, struct request *request, uint64_t question,
                       const struct gb_err *err);

/* Writes @rule, a line, as the answer to that question, and calls @done, from the loop. Takes
 * @request if it succeeds. GB_EINVALID: the session's rules have no place in a settings file;
 * GB_EBUSY: another rule is being written. */
int always_begin(struct request *request, struct hosted *hosted, uint64_t question,
                 const char *rule, always_fn *done, struct gb_err *err);

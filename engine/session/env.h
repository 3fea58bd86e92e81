/* SPDX-License-Identifier: Apache-2.0 */
/* Copies and encodes environments within the module. */
#pragma once

#include "base/buf.h"
#include "session/session.h"
#include "wire/fields.h"

/* A copy; @from may be NULL. */
struct gb_env env_copy(const struct gb_env *from);

/* The pairs of @env in @encoded, which has to outlive the result. */
struct gb_pairs env_pairs(const struct gb_env *env, struct gb_buf *encoded);

/* SPDX-License-Identifier: Apache-2.0 */
/* Texts made from the table of verbs. */
#pragma once

#include "base/buf.h"
#include "cli/args.h"

/* `glassbell help`: the verbs and what they do. */
void help_program(struct gb_buf *out, const struct verb *const *verbs);
/* `glassbell VERB --help`: usage, options, examples. */
void help_verb(struct gb_buf *out, const struct verb *verb);

/* SPDX-License-Identifier: Apache-2.0 */
/* Texts made from the table of verbs. */
#pragma once

#include "base/buf.h"
#include "cli/args.h"
#include "language/language.h"

/* `glassbell help`: the verbs and what they do. */
void help_program(struct gb_buf *out, const struct verb *const *verbs);
/* `glassbell VERB --help`: usage, options, @languages (NULL: the verb takes none, or they are not
 * known), examples. */
void help_verb(struct gb_buf *out, const struct verb *verb, const struct gb_languages *languages);

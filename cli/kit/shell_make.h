/* SPDX-License-Identifier: Apache-2.0 */
/* What the makers of completion share; for shell.c and those only. */
#pragma once

#include "base/buf.h"
#include "cli/args.h"

/* What to choose from, and the commands that tell, one a line. */
#define SHELLS "bash zsh fish"
#define ASK_LANGUAGES "glassbell image ls --languages 2>/dev/null"
#define ASK_SESSIONS "glassbell ls --ids 2>/dev/null"
#define ASK_IMAGES "glassbell image ls --names 2>/dev/null"

/* Calls @add with each option that people are shown, those that many verbs share last. */
void shell_each_option(struct gb_buf *out, const struct verb *verb,
                       void (*add)(struct gb_buf *out, const struct verb *verb,
                                   const struct option *option));
/* Adds @text with a backslash before each of @special, for what stands in single quotes; a quote
 * itself is written as @quote. */
void shell_add_quoted(struct gb_buf *out, const char *text, const char *special, const char *quote);

void shell_make_bash(struct gb_buf *out, const struct verb *const *verbs);
void shell_make_zsh(struct gb_buf *out, const struct verb *const *verbs);
void shell_make_fish(struct gb_buf *out, const struct verb *const *verbs);

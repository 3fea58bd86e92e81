/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the generators of completion scripts; only for shell.c and those. */
#pragma once

#include "base/buf.h"
#include "cli/args.h"

/* What to complete, and the commands that list the candidates, one per line. */
#define SHELLS "bash zsh fish"
#define ASK_LANGUAGES "glassbell image ls --languages 2>/dev/null"
#define ASK_SESSIONS "glassbell ls --ids 2>/dev/null"
#define ASK_IMAGES "glassbell image ls --names 2>/dev/null"

/* Calls @add with each documented option; those shared by many verbs come last. */
void shell_each_option(struct gb_buf *out, const struct verb *verb,
                       void (*add)(struct gb_buf *out, const struct verb *verb,
                                   const struct option *option));
/* Adds @text with a backslash before each character of @special, for use in single quotes; writes a
 * single quote as @quote. */
void shell_add_quoted(struct gb_buf *out, const char *text, const char *special, const char *quote);

void shell_make_bash(struct gb_buf *out, const struct verb *const *verbs);
void shell_make_zsh(struct gb_buf *out, const struct verb *const *verbs);
void shell_make_fish(struct gb_buf *out, const struct verb *const *verbs);

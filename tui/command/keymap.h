/* SPDX-License-Identifier: Apache-2.0 */
/* The line bound to each key in each context: the defaults of the tables, modified by the
 * settings. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "command/command.h"

enum { KEYMAP_MAX = 512, KEYMAP_LINE_MAX = 128 };

struct binding {
    enum context context;
    struct key key;
    char line[KEYMAP_LINE_MAX]; /* empty: unbound */
};

struct keymap {
    struct binding bindings[KEYMAP_MAX];
    size_t count;
};

/* Sets the defaults. False if the tables bind a key twice in a context, which is a bug. */
bool keymap_defaults(struct keymap *keymap, const struct command_tables *tables);
/* Applies a setting: @key is "[CONTEXT.]KEY" (no context: global), @line a command or "none".
 * GB_EINVALID with a message. */
int keymap_set(struct keymap *keymap, const struct command_tables *tables, const char *key,
               const char *line, struct gb_err *err);
/* The binding of @key in @context, else the global one; NULL: none. */
const char *keymap_find(const struct keymap *keymap, enum context context, struct key key);
/* The first key bound to the command in @context (or globally); false: none. */
bool keymap_key(const struct keymap *keymap, enum context context, const char *command,
                struct key *ret_key);

/* SPDX-License-Identifier: Apache-2.0 */
/* Which line a key stands for, in each context: the defaults of the tables, changed by the
 * settings.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "command/command.h"

enum { KEYMAP_MAX = 512, KEYMAP_LINE_MAX = 128 };

struct binding {
    enum context context;
    struct key key;
    char line[KEYMAP_LINE_MAX]; /* empty: the key does nothing */
};

struct keymap {
    struct binding bindings[KEYMAP_MAX];
    size_t count;
};

/* The defaults. A key that is given twice in a context is a fault of the tables: false. */
bool keymap_defaults(struct keymap *keymap, const struct command_tables *tables);
/* A setting: @key is "[CONTEXT.]KEY" (no context: global), @line a command or "none". GB_EINVALID
 * with a sentence. */
int keymap_set(struct keymap *keymap, const struct command_tables *tables, const char *key,
               const char *line, struct gb_err *err);
/* What @key stands for in @context, else everywhere; NULL: nothing. */
const char *keymap_find(const struct keymap *keymap, enum context context, struct key key);
/* The first key that stands for the command in @context (or everywhere); false: none. */
bool keymap_key(const struct keymap *keymap, enum context context, const char *command,
                struct key *ret_key);

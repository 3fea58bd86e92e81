/* SPDX-License-Identifier: Apache-2.0 */
#include "command/keymap.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

static struct binding *keymap_command_find(struct keymap *keymap, enum context context,
                                           struct key key)
{
    for (size_t i = 0; i < keymap->count; i++)
        if (keymap->bindings[i].context == context && key_equal(keymap->bindings[i].key, key))
            return &keymap->bindings[i];
    return NULL;
}

static bool keymap_add(struct keymap *keymap, enum context context, struct key key,
                       const char *line)
{
    struct binding *binding;

    if (keymap->count == KEYMAP_MAX || strlen(line) >= KEYMAP_LINE_MAX)
        return false;
    binding = &keymap->bindings[keymap->count++];
    binding->context = context;
    binding->key = key;
    (void)snprintf(binding->line, sizeof(binding->line), "%s", line);
    return true;
}

static bool keymap_add_row(struct keymap *keymap, const struct command *row)
{
    const char *at = row->keys;

    while (at != NULL && *at != '\0') {
        size_t size = strcspn(at, " ");
        struct key key;

        if (!key_parse((struct gb_bytes){(const uint8_t *)at, size}, &key) ||
            keymap_command_find(keymap, row->context, key) != NULL ||
            !keymap_add(keymap, row->context, key, row->name))
            return false;
        at += size + strspn(at + size, " ");
    }
    return true;
}

bool keymap_defaults(struct keymap *keymap, const struct command_tables *tables)
{
    keymap->count = 0;
    for (size_t i = 0; i < tables->count; i++)
        for (const struct command *row = tables->tables[i]; row->name != NULL; row++)
            if (!keymap_add_row(keymap, row))
                return false;
    return true;
}

int keymap_set(struct keymap *keymap, const struct command_tables *tables, const char *key,
               const char *line, struct gb_err *err)
{
    const char *dot = strchr(key, '.');
    enum context context = CONTEXT_GLOBAL;
    struct words words;
    struct gb_buf message = {0};
    struct binding *binding;
    struct key parsed;
    int r = 0;

    /* The key itself may be a dot. */
    if (dot != NULL && dot != key && dot[1] != '\0') {
        context = context_find((struct gb_bytes){(const uint8_t *)key, (size_t)(dot - key)});
        if (context == CONTEXT_COUNT)
            return gb_err_set(err, GB_EINVALID, "there is no context %.*s", (int)(dot - key), key);
        key = dot + 1;
    }
    if (!key_parse(gb_bytes_str(key), &parsed))
        return gb_err_set(err, GB_EINVALID, "%s is not the name of a key", key);
    if (strcmp(line, "none") == 0)
        line = "";
    else if (!words_parse(line, &words, &message) || words.count == 0)
        r = gb_err_set(err, GB_EINVALID, "%s: %s", key,
                       message.size > 0 ? gb_buf_str(&message) : "a command is missing");
    else if (command_find(tables, context, words.words[0]) == NULL)
        r = gb_err_set(err, GB_EINVALID, "there is no command %s", words.words[0]);
    gb_buf_release(&message);
    if (r < 0)
        return r;
    if (strlen(line) >= KEYMAP_LINE_MAX)
        return gb_err_set(err, GB_ETOOLARGE, "the command of %s is too long", key);
    binding = keymap_command_find(keymap, context, parsed);
    if (binding != NULL)
        (void)snprintf(binding->line, sizeof(binding->line), "%s", line);
    else if (!keymap_add(keymap, context, parsed, line))
        return gb_err_set(err, GB_ETOOLARGE, "there are too many keys");
    return 0;
}

static const char *keymap_find_line(const struct keymap *keymap, enum context context,
                                    struct key key)
{
    for (size_t i = 0; i < keymap->count; i++)
        if (keymap->bindings[i].context == context && key_equal(keymap->bindings[i].key, key))
            return keymap->bindings[i].line;
    return NULL;
}

const char *keymap_find(const struct keymap *keymap, enum context context, struct key key)
{
    /* While the user types, keys that produce text are text. */
    bool text = key.code < KEY_ENTER && (key.modifiers & (KEY_CONTROL | KEY_META)) == 0;
    const char *line;

    if (context == CONTEXT_REPL && text)
        return NULL;
    line = keymap_find_line(keymap, context, key);
    if (line == NULL && context != CONTEXT_REPL)
        line = keymap_find_line(keymap, CONTEXT_GLOBAL, key);
    return line != NULL && line[0] != '\0' ? line : NULL;
}

static bool keymap_is_line_of(const struct binding *binding, const char *command)
{
    return strcmp(binding->line, command) == 0;
}

bool keymap_key(const struct keymap *keymap, enum context context, const char *command,
                struct key *ret_key)
{
    const enum context order[] = {context, CONTEXT_GLOBAL};

    for (size_t i = 0; i < ARRAY_SIZE(order); i++)
        for (size_t j = 0; j < keymap->count; j++)
            if (keymap->bindings[j].context == order[i] &&
                keymap_is_line_of(&keymap->bindings[j], command)) {
                *ret_key = keymap->bindings[j].key;
                return true;
            }
    return false;
}

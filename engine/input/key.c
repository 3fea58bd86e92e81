/* SPDX-License-Identifier: Apache-2.0 */
#include "input/key.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"

/* The first name for a code is the one displayed. */
static const struct {
    uint32_t code;
    const char *name;
} names[] = {
    {KEY_ENTER, "Enter"},
    {KEY_TAB, "Tab"},
    {KEY_ESCAPE, "Esc"},
    {KEY_UP, "Up"},
    {KEY_DOWN, "Down"},
    {KEY_LEFT, "Left"},
    {KEY_RIGHT, "Right"},
    {KEY_HOME, "Home"},
    {KEY_END, "End"},
    {KEY_PAGE_UP, "PgUp"},
    {KEY_PAGE_DOWN, "PgDn"},
    {KEY_INSERT, "Ins"},
    {KEY_DELETE, "Del"},
    {KEY_BACKSPACE, "BSpace"},
    {' ', "Space"},
    {KEY_F1, "F1"},
    {KEY_F2, "F2"},
    {KEY_F3, "F3"},
    {KEY_F4, "F4"},
    {KEY_F5, "F5"},
    {KEY_F6, "F6"},
    {KEY_F7, "F7"},
    {KEY_F8, "F8"},
    {KEY_F9, "F9"},
    {KEY_F10, "F10"},
    {KEY_F11, "F11"},
    {KEY_F12, "F12"},
    {KEY_ESCAPE, "Escape"},
    {KEY_BACKSPACE, "Backspace"},
    {KEY_DELETE, "Delete"},
    {KEY_PAGE_UP, "PageUp"},
    {KEY_PAGE_DOWN, "PageDown"},
    {KEY_INSERT, "Insert"},
    {KEY_ENTER, "Return"},
};

/* Removes "C-", "M-" and "S-" from the front of @name. */
static uint8_t key_take_modifiers(struct gb_bytes *name)
{
    uint8_t modifiers = 0;

    while (name->size > 2 && name->data[1] == '-') {
        if (name->data[0] == 'C')
            modifiers |= KEY_CONTROL;
        else if (name->data[0] == 'M')
            modifiers |= KEY_META;
        else if (name->data[0] == 'S')
            modifiers |= KEY_SHIFT;
        else
            break;
        name->data += 2;
        name->size -= 2;
    }
    return modifiers;
}

static uint32_t key_decode(struct gb_bytes text)
{
    static const uint8_t masks[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t c = text.data[0] & masks[text.size];

    for (size_t i = 1; i < text.size; i++)
        c = c << 6 | (text.data[i] & 0x3f);
    return c;
}

bool key_parse(struct gb_bytes name, struct key *ret_key)
{
    uint8_t modifiers = key_take_modifiers(&name);
    struct key key = {.modifiers = modifiers};

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (gb_bytes_equal(name, names[i].name)) {
            key.code = names[i].code;
            *ret_key = key;
            return true;
        }
    if (name.size == 0 || name.size > 4 || gb_utf8_sequence(name.data, name.size) != name.size)
        return false;
    key.code = key_decode(name);
    /* Shift is already part of the character. */
    if (key.code <= ' ' || key.code == 0x7f || (modifiers & KEY_SHIFT) != 0)
        return false;
    if ((modifiers & KEY_CONTROL) != 0 && key.code >= 'A' && key.code <= 'Z')
        key.code += 'a' - 'A';
    *ret_key = key;
    return true;
}

static size_t key_encode(uint32_t c, char *to)
{
    if (c < 0x80) {
        to[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        to[0] = (char)(0xc0 | (c >> 6));
        to[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        to[0] = (char)(0xe0 | (c >> 12));
        to[1] = (char)(0x80 | ((c >> 6) & 0x3f));
        to[2] = (char)(0x80 | (c & 0x3f));
        return 3;
    }
    to[0] = (char)(0xf0 | (c >> 18));
    to[1] = (char)(0x80 | ((c >> 12) & 0x3f));
    to[2] = (char)(0x80 | ((c >> 6) & 0x3f));
    to[3] = (char)(0x80 | (c & 0x3f));
    return 4;
}

void key_text(struct key key, char name[KEY_NAME_MAX])
{
    const char *word = NULL;
    char sign[5] = "";
    int n;

    for (size_t i = 0; word == NULL && i < ARRAY_SIZE(names); i++)
        if (names[i].code == key.code)
            word = names[i].name;
    if (word == NULL && key.code < 0x110000)
        sign[key_encode(key.code, sign)] = '\0';
    n = snprintf(name, KEY_NAME_MAX, "%s%s%s%s", (key.modifiers & KEY_CONTROL) != 0 ? "C-" : "",
                 (key.modifiers & KEY_META) != 0 ? "M-" : "",
                 (key.modifiers & KEY_SHIFT) != 0 ? "S-" : "", word != NULL ? word : sign);
    (void)n; /* the longest name fits */
}

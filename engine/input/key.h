/* SPDX-License-Identifier: Apache-2.0 */
/* Keys by name: "a", "Enter", "C-x", "M-f", "S-Tab", "F2", "Space". */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Codes of keys that produce no character; above all of Unicode. */
enum key_code {
    KEY_ENTER = 0x110000,
    KEY_TAB,
    KEY_ESCAPE,
    KEY_BACKSPACE,
    KEY_UP,
    KEY_DOWN,
    KEY_LEFT,
    KEY_RIGHT,
    KEY_HOME,
    KEY_END,
    KEY_PAGE_UP,
    KEY_PAGE_DOWN,
    KEY_INSERT,
    KEY_DELETE,
    KEY_F1,
    KEY_F2,
    KEY_F3,
    KEY_F4,
    KEY_F5,
    KEY_F6,
    KEY_F7,
    KEY_F8,
    KEY_F9,
    KEY_F10,
    KEY_F11,
    KEY_F12,
    KEY_NONE, /* also terminates lists */
};

enum key_modifier { KEY_SHIFT = 1, KEY_META = 2, KEY_CONTROL = 4 };

/* Control plus a letter is the letter with KEY_CONTROL. Shift plus a character is the shifted
 * character, without KEY_SHIFT. */
struct key {
    uint32_t code; /* a Unicode character or an enum key_code */
    uint8_t modifiers;
};

static inline bool key_equal(struct key a, struct key b)
{
    return a.code == b.code && a.modifiers == b.modifiers;
}

/* False if @name is not a key. */
bool key_parse(struct gb_bytes name, struct key *ret_key);
enum { KEY_NAME_MAX = 24 };
void key_text(struct key key, char name[KEY_NAME_MAX]);

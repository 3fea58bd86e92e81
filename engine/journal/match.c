/* SPDX-License-Identifier: Apache-2.0 */
/* Theory of operation. A small state machine removes escape sequences (ECMA-48: CSI, strings such
 * as OSC, and single ones) and folds case, into a window that memmem() searches in linear time. The
 * end of a window that could be the start of a match is copied to the front of the next. */
#include "match.h"

#include <string.h>

#include "base/mem.h"

enum { WINDOW = 32 * 1024, ESCAPE = 0x1b, BELL = 0x07 };

enum state {
    STATE_TEXT,
    STATE_ESCAPE,     /* after ESC and intermediate bytes, before the final byte */
    STATE_CSI,        /* after ESC [ */
    STATE_STRING,     /* after ESC ] and similar, until BEL or ESC \ */
    STATE_STRING_END, /* after an ESC in a string */
};

static uint8_t fold(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

void gb_match_init(struct gb_match *match, struct gb_bytes text)
{
    *match = (struct gb_match){.size = MIN(text.size, sizeof(match->text))};
    if (match->size > 0)
        memcpy(match->text, text.data, match->size);
    for (size_t i = 0; i < match->size; i++)
        match->exact |= match->text[i] >= 'A' && match->text[i] <= 'Z';
}

static enum state begin_sequence(uint8_t c)
{
    if (c == '[')
        return STATE_CSI;
    if (memchr("]PX^_", c, 5) != NULL)
        return STATE_STRING;
    return c >= 0x20 && c < 0x30 ? STATE_ESCAPE : STATE_TEXT;
}

/* The state after @c, which belongs to an escape sequence. */
static enum state in_sequence(enum state state, uint8_t c)
{
    switch (state) {
    case STATE_ESCAPE:
        return begin_sequence(c);
    case STATE_CSI:
        return c >= 0x40 && c < 0x7f ? STATE_TEXT : STATE_CSI;
    case STATE_STRING:
        return c == BELL ? STATE_TEXT : c == ESCAPE ? STATE_STRING_END : STATE_STRING;
    case STATE_STRING_END:
        return c == '\\' ? STATE_TEXT : begin_sequence(c);
    case STATE_TEXT:
        break;
    }
    return STATE_TEXT;
}

bool gb_match_bytes(const struct gb_match *match, struct gb_bytes bytes)
{
    uint8_t window[WINDOW];
    size_t size = 0, keep = match->size - 1;
    enum state state = STATE_TEXT;

    if (match->size == 0 || bytes.size < match->size)
        return false;
    for (size_t i = 0; i < bytes.size; i++) {
        uint8_t c = bytes.data[i];

        if (state != STATE_TEXT) {
            state = in_sequence(state, c);
        } else if (c == ESCAPE) {
            state = STATE_ESCAPE;
        } else {
            window[size++] = match->exact ? c : fold(c);
        }
        if (size == WINDOW || (i + 1 == bytes.size && size > 0)) {
            if (memmem(window, size, match->text, match->size) != NULL)
                return true;
            if (size > keep) {
                memmove(window, window + size - keep, keep);
                size = keep;
            }
        }
    }
    return false;
}

bool gb_match_cell(const struct gb_match *match, const struct gb_cell_info *cell)
{
    const struct gb_bytes texts[] = {cell->code,  cell->out,  cell->err,
                                     cell->value, cell->note, cell->message};

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        if (gb_match_bytes(match, texts[i]))
            return true;
    return false;
}

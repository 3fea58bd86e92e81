/* SPDX-License-Identifier: Apache-2.0 */
/* The state machine of ECMA-48, as in VT500 and xterm: one byte at a time, arbitrary input. */
#include <string.h>

#include "base/utf8.h"
#include "vt/private.h"

enum { ESC = 0x1b, BEL = 0x07, CAN = 0x18, SUB = 0x1a, DEL = 0x7f };

/* ---- characters ---- */

/* ASCII in the line drawing character set: from 0x60 to 0x7e, 3 bytes each. */
static const char line_drawings[] = "◆▒␉␌␍␊°±␤␋┘┐┌└┼⎺⎻─⎼⎽├┤┴┬│≤≥π≠£·";

static struct gb_bytes drawing_of(uint8_t byte)
{
    struct gb_bytes rest = {(const uint8_t *)line_drawings, sizeof(line_drawings) - 1};
    size_t size = 0;

    for (unsigned i = 0x60; i <= byte; i++) {
        rest.data += size;
        rest.size -= size;
        size = gb_utf8_sequence(rest.data, rest.size);
    }
    return (struct gb_bytes){rest.data, size};
}

static void put_glyph(struct gb_vt *vt, struct gb_bytes text)
{
    struct vt_cell cell = {.width = 1};
    struct glyph glyph;

    (void)glyph_next(text, &glyph);
    if (glyph.width == 0 || glyph.hidden)
        return;
    memcpy(cell.text, glyph.text, glyph.size);
    cell.size = glyph.size;
    cell.width = glyph.width;
    vt_put(vt, &cell);
}

static void put_ascii(struct gb_vt *vt, uint8_t byte)
{
    const struct vt_cell cell = {.text = {(char)byte}, .size = 1, .width = 1};

    if (byte >= 0x60 && vt->cursor.lines[vt->cursor.shift])
        put_glyph(vt, drawing_of(byte));
    else
        vt_put(vt, &cell);
}

/* A complete non-ASCII character. */
static void put_character(struct gb_vt *vt, struct gb_bytes text)
{
    if (text.size == 2 && text.data[0] == 0xc2 && text.data[1] < 0xa0)
        return; /* a C1 control: nobody means it in UTF-8 */
    if (!vt_join(vt, text))
        put_glyph(vt, text);
}

/* Invalid UTF-8 becomes the replacement character, one for each run that cannot be completed. */
static void put_byte(struct gb_vt *vt, uint8_t byte)
{
    static const uint8_t replacement[] = {0xef, 0xbf, 0xbd};
    struct vt_parser *parser = &vt->parser;
    struct gb_bytes pending;

    parser->pending[parser->pending_size++] = byte;
    pending = (struct gb_bytes){parser->pending, parser->pending_size};
    if (gb_utf8_sequence(pending.data, pending.size) == pending.size) {
        parser->pending_size = 0;
        if (pending.size == 1)
            put_ascii(vt, byte);
        else
            put_character(vt, pending);
    } else if (gb_utf8_unfinished(pending) != pending.size) {
        bool again = parser->pending_size > 1; /* @byte itself may start a character */

        parser->pending_size = 0;
        put_glyph(vt, (struct gb_bytes){replacement, sizeof(replacement)});
        if (again)
            put_byte(vt, byte);
    }
}

/* ---- sequences ---- */

static void begin_sequence(struct vt_parser *parser, enum vt_state state)
{
    parser->state = state;
    parser->marker = parser->between = 0;
    parser->count = 0;
    parser->any = parser->string_escape = false;
    parser->params[0] = 0;
    parser->part[0] = false;
}

static void csi_parameter(struct vt_parser *parser, uint8_t byte)
{
    uint32_t *param = &parser->params[parser->count];

    if (byte >= '0' && byte <= '9') {
        parser->any = true;
        *param = MIN(*param * 10 + (byte - '0'), (uint32_t)VT_PARAM_MAX);
    } else if (parser->count + 1 < VT_PARAMS_MAX) {
        parser->any = true;
        parser->count++;
        parser->params[parser->count] = 0;
        parser->part[parser->count] = byte == ':';
    } else {
        parser->state = VT_CSI_IGNORE;
    }
}

static void csi_byte(struct gb_vt *vt, uint8_t byte)
{
    struct vt_parser *parser = &vt->parser;

    if (byte >= 0x40 && byte <= 0x7e) {
        bool meant = parser->state == VT_CSI;

        parser->state = VT_GROUND;
        parser->count += parser->any ? 1 : 0;
        if (meant)
            vt_csi(vt, byte);
    } else if (byte >= 0x30 && byte <= 0x3b && parser->between == 0) {
        csi_parameter(parser, byte);
    } else if (byte >= 0x3c && byte <= 0x3f && parser->marker == 0 && !parser->any) {
        parser->marker = byte;
    } else if (byte >= 0x20 && byte <= 0x2f && parser->between == 0) {
        parser->between = byte;
    } else if (byte >= 0x20) {
        parser->state = VT_CSI_IGNORE;
    }
}

static void escape_byte(struct gb_vt *vt, uint8_t byte)
{
    struct vt_parser *parser = &vt->parser;

    if (byte == '[' && parser->state == VT_ESCAPE) {
        begin_sequence(parser, VT_CSI);
    } else if (parser->state == VT_ESCAPE &&
               (byte == ']' || byte == 'P' || byte == 'X' || byte == '^' || byte == '_')) {
        begin_sequence(parser, VT_STRING);
    } else if (byte >= 0x20 && byte <= 0x2f) {
        parser->state = VT_ESCAPE_MORE;
        parser->between = byte;
    } else {
        parser->state = VT_GROUND;
        if (byte < DEL)
            vt_escape(vt, byte);
    }
}

/* Strings are not stored. They end with BEL or ST; an ESC that starts no ST starts its own
 * sequence. */
static bool string_byte(struct vt_parser *parser, uint8_t byte)
{
    bool escape = parser->string_escape;

    parser->string_escape = byte == ESC;
    if (byte == BEL || byte == CAN || byte == SUB || (escape && byte == '\\'))
        parser->state = VT_GROUND;
    else if (escape && byte != ESC)
        begin_sequence(parser, VT_ESCAPE);
    return parser->state != VT_ESCAPE;
}

static void feed_byte(struct gb_vt *vt, uint8_t byte)
{
    struct vt_parser *parser = &vt->parser;

    vt->work++;
    if (parser->state == VT_STRING && string_byte(parser, byte))
        return;
    if (byte >= 0x80 && parser->state != VT_GROUND)
        return;
    if (byte >= 0x20 && byte != DEL && parser->state == VT_GROUND) {
        put_byte(vt, byte);
        return;
    }
    parser->pending_size = 0; /* of an incomplete character */
    if (byte == ESC)
        begin_sequence(parser, VT_ESCAPE);
    else if (byte == CAN || byte == SUB)
        parser->state = VT_GROUND;
    else if (byte < 0x20)
        vt_control(vt, byte); /* even in the middle of a sequence */
    else if (byte == DEL)
        return;
    else if (parser->state == VT_ESCAPE || parser->state == VT_ESCAPE_MORE)
        escape_byte(vt, byte);
    else
        csi_byte(vt, byte);
}

void gb_vt_feed(struct gb_vt *vt, struct gb_bytes bytes)
{
    for (size_t i = 0; i < bytes.size; i++)
        feed_byte(vt, bytes.data[i]);
}

size_t gb_vt_feed_some(struct gb_vt *vt, struct gb_bytes bytes, uint64_t most, uint64_t *ret_work)
{
    const uint64_t before = vt->work;
    size_t taken = 0;

    do
        feed_byte(vt, bytes.data[taken++]);
    while (taken < bytes.size && vt->work - before <= most);
    *ret_work += vt->work - before;
    return taken;
}

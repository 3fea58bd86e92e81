/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <string.h>
#include <utf8proc.h>

#include "base/hidden.h"
#include "base/mem.h"
#include "base/utf8.h"

enum {
    REPLACEMENT = 0xfffd,
    JOINER = 0x200d,
    CONTROL_PICTURES = 0x2400,
    DELETE_PICTURE = 0x2421,
};

uint32_t unit_decode(const uint8_t *bytes, size_t size)
{
    static const uint8_t lead_mask[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t code = bytes[0] & lead_mask[size];

    for (size_t i = 1; i < size; i++)
        code = (code << 6) | (bytes[i] & 0x3fu);
    return code;
}

static size_t unit_encode(uint32_t code, char to[4])
{
    return (size_t)utf8proc_encode_char((utf8proc_int32_t)code, (utf8proc_uint8_t *)to);
}

static bool unit_is_pictograph(uint32_t code)
{
    return code >= 0xa9 && utf8proc_get_property((utf8proc_int32_t)code)->boundclass ==
                               UTF8PROC_BOUNDCLASS_EXTENDED_PICTOGRAPHIC;
}

enum kind { KIND_BASE, KIND_MARK, KIND_NOTHING, KIND_HIDDEN };

/* Invisible characters that belong to the preceding one: they choose a presentation, a colour or a
 * flag, or join. Elsewhere they would hide something. */
static bool unit_is_part(uint32_t code, const struct unit *before)
{
    size_t size = gb_utf8_sequence((const uint8_t *)before->bytes, before->size);
    uint32_t base = size > 0 ? unit_decode((const uint8_t *)before->bytes, size) : 0;

    if ((code >= 0xe0020 && code <= 0xe007f) || (code >= 0x1f3fb && code <= 0x1f3ff))
        return unit_is_pictograph(base);
    if (code == 0xfe0e || code == 0xfe0f)
        return base > 0;
    return (code == 0x200c || code == JOINER) && base >= 0x80;
}

/* Classifies a code point after the unit @before. *ret_shown is what to draw for it. */
static enum kind unit_classify(uint32_t code, const struct unit *before, uint32_t *ret_shown,
                               uint8_t *ret_width)
{
    const utf8proc_property_t *property;

    *ret_shown = code;
    *ret_width = 1;
    if (code >= 0x20 && code < 0x7f)
        return KIND_BASE;
    if (code < 0xa0) {
        *ret_shown = code < 0x20   ? CONTROL_PICTURES + code
                     : code == 127 ? DELETE_PICTURE
                                   : REPLACEMENT;
        return KIND_HIDDEN;
    }
    if (code >= 0x1f1e6 && code <= 0x1f1ff) { /* half a flag: its letter */
        *ret_shown = 'A' + code - 0x1f1e6;
        return KIND_BASE;
    }
    if (unit_is_part(code, before))
        return KIND_NOTHING;
    if (gb_hidden(code)) {
        *ret_shown = code == 0xad ? '-' : REPLACEMENT;
        return KIND_HIDDEN;
    }
    property = utf8proc_get_property((utf8proc_int32_t)code);
    switch (property->category) {
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_ME:
        if (property->charwidth == 0)
            return KIND_MARK;
        break;
    default:
        break;
    }
    if (property->charwidth == 0)
        return KIND_MARK;
    *ret_width = property->charwidth == 2 ? 2 : 1;
    return KIND_BASE;
}

static void unit_begin(struct unit *unit, uint32_t code, uint8_t width, bool hidden)
{
    *unit = (struct unit){.width = width & 3u, .hidden = hidden};
    unit->size = unit_encode(code, unit->bytes) & 15u;
}

enum unit_effect unit_add(struct unit_cutter *cutter, uint32_t code, struct unit *unit)
{
    uint32_t shown;
    uint8_t width;
    char bytes[4];
    size_t size;

    if (cutter->joined && code <= 0x10ffff && unit_is_pictograph(code)) {
        cutter->joined = false;
        return UNIT_NOTHING;
    }
    switch (unit_classify(code, unit, &shown, &width)) {
    case KIND_NOTHING:
        cutter->joined = code == JOINER;
        return UNIT_NOTHING;
    case KIND_MARK:
        size = unit_encode(code, bytes);
        if (unit->size > 0 && unit->marks < UNIT_MARKS_MAX && !unit->hidden &&
            unit->size + size <= UNIT_BYTES_MAX) {
            memcpy(unit->bytes + unit->size, bytes, size);
            unit->size = (unit->size + size) & 15u;
            unit->marks = (unit->marks + 1u) & 3u;
        }
        return UNIT_EXTENDS;
    case KIND_HIDDEN:
        cutter->joined = false;
        unit_begin(unit, shown, width, true);
        return UNIT_BEGINS;
    case KIND_BASE:
    default:
        cutter->joined = false;
        unit_begin(unit, shown, width, false);
        return UNIT_BEGINS;
    }
}

size_t unit_next(struct gb_bytes text, struct unit *ret_unit)
{
    size_t at = 0;

    if (text.size == 0)
        return 0;
    *ret_unit = (struct unit){.width = 1};
    if (text.data[0] < 0x80 && (text.size == 1 || text.data[1] < 0x80)) {
        ret_unit->bytes[0] = (char)text.data[0];
        ret_unit->size = 1;
        return 1;
    }
    while (at < text.size) {
        size_t size = gb_utf8_sequence(text.data + at, text.size - at);
        int width = size == 0
                        ? -1
                        : utf8proc_charwidth((utf8proc_int32_t)unit_decode(text.data + at, size));

        if (size == 0 || (at > 0 && width != 0) || at + size > UNIT_BYTES_MAX)
            break;
        if (at == 0)
            ret_unit->width = width == 2 ? 2 : 1;
        memcpy(ret_unit->bytes + at, text.data + at, size);
        at += size;
        ret_unit->size = at & 15u;
    }
    if (at == 0) { /* not ours */
        unit_begin(ret_unit, REPLACEMENT, 1, true);
        return 1;
    }
    return at;
}

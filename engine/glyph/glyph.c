/* SPDX-License-Identifier: Apache-2.0 */
#include "glyph/glyph.h"

#include <string.h>
#include <utf8proc.h>

#include "base/hidden.h"
#include "base/utf8.h"

enum {
    ZERO_WIDTH_JOINER = 0x200d,
    DOTTED_CIRCLE = 0x25cc,
    REPLACEMENT = 0xfffd,
    REGIONAL_A = 0x1f1e6,
    REGIONAL_Z = 0x1f1ff,
    EMOJI = 0x1f000,
};

static void glyph_put(struct glyph *glyph, int32_t c)
{
    uint8_t bytes[4];
    utf8proc_ssize_t n = utf8proc_encode_char(c, bytes);

    if (n <= 0 || (size_t)glyph->size + (size_t)n > sizeof(glyph->text))
        return;
    memcpy(glyph->text + glyph->size, bytes, (size_t)n);
    glyph->size = (uint8_t)(glyph->size + n);
}

static void glyph_stand_in(struct glyph *glyph, int32_t c)
{
    glyph->size = 0;
    glyph_put(glyph, c);
    glyph->width = 1;
    glyph->hidden = true;
}

static bool glyph_is_mark(int32_t c)
{
    utf8proc_category_t category = utf8proc_category(c);

    return category == UTF8PROC_CATEGORY_MN || category == UTF8PROC_CATEGORY_ME;
}

static bool glyph_is_variation(int32_t c)
{
    return c >= 0xfe00 && c <= 0xfe0f;
}

static int32_t glyph_decode(struct gb_bytes text, size_t *ret_size)
{
    utf8proc_int32_t c = REPLACEMENT;
    size_t n = gb_utf8_sequence(text.data, text.size);

    if (n == 0) {
        *ret_size = 1;
        return -1;
    }
    (void)utf8proc_iterate(text.data, (utf8proc_ssize_t)n, &c);
    *ret_size = n;
    return c;
}

static void glyph_put_base(struct glyph *glyph, int32_t c)
{
    int width;

    if (c < 0)
        glyph_stand_in(glyph, REPLACEMENT);
    else if (c < 0x20)
        glyph_stand_in(glyph, 0x2400 + c);
    else if (c == 0x7f)
        glyph_stand_in(glyph, 0x2421);
    else if (utf8proc_category(c) == UTF8PROC_CATEGORY_CN)
        glyph_stand_in(glyph, REPLACEMENT);
    else if (gb_hidden((uint32_t)c))
        glyph_stand_in(glyph, 0xb7);
    else if (c >= REGIONAL_A && c <= REGIONAL_Z) {
        glyph_put(glyph, 'A' + (c - REGIONAL_A));
        glyph->width = 1;
    } else {
        width = utf8proc_charwidth(c);
        if (width <= 0) {
            glyph_put(glyph, DOTTED_CIRCLE);
            width = 1;
            glyph->uncertain = true;
        }
        glyph_put(glyph, c);
        glyph->width = (uint8_t)width;
        glyph->uncertain = glyph->uncertain || c >= EMOJI || (c >= 0x2600 && c < 0x27c0) ||
                           utf8proc_category(c) == UTF8PROC_CATEGORY_CO;
    }
}

/* Adds the rest of the cluster that starts with @first: keeps marks while there is room, skips
 * anything that would join. Returns its length in bytes. */
static size_t glyph_put_rest(struct glyph *glyph, int32_t first, struct gb_bytes rest)
{
    utf8proc_int32_t state = 0, before = first;
    size_t used = 0, marks = 0;

    while (used < rest.size) {
        size_t n;
        int32_t c;

        if (rest.data[used] < 0x80)
            break;
        c = glyph_decode((struct gb_bytes){rest.data + used, rest.size - used}, &n);
        if (c < 0 || utf8proc_grapheme_break_stateful(before, c, &state))
            break;
        /* A flag is shown as two letters. */
        if (c >= REGIONAL_A && c <= REGIONAL_Z)
            break;
        if (glyph_is_mark(c) && !gb_hidden((uint32_t)c) && marks < GLYPH_MARKS_MAX) {
            glyph_put(glyph, c);
            glyph->uncertain = true;
            marks++;
        } else if (c != ZERO_WIDTH_JOINER && !glyph_is_variation(c) && gb_hidden((uint32_t)c)) {
            break;
        }
        before = c;
        used += n;
    }
    return used;
}

size_t glyph_next(struct gb_bytes text, struct glyph *ret_glyph)
{
    size_t n;
    int32_t c;

    *ret_glyph = (struct glyph){.width = 1};
    if (text.data[0] >= 0x20 && text.data[0] < 0x7f && (text.size == 1 || text.data[1] < 0x80)) {
        ret_glyph->text[0] = (char)text.data[0];
        ret_glyph->size = 1;
        return 1;
    }
    c = glyph_decode(text, &n);
    glyph_put_base(ret_glyph, c);
    if (!ret_glyph->hidden)
        n += glyph_put_rest(ret_glyph, c, (struct gb_bytes){text.data + n, text.size - n});
    return n;
}

size_t text_columns(struct gb_bytes text)
{
    size_t columns;

    (void)text_fit(text, SIZE_MAX, &columns);
    return columns;
}

size_t text_wrap(struct gb_bytes text, size_t columns, size_t *ret_next)
{
    size_t fit = text_fit(text, columns, NULL), space = fit;

    if (fit < text.size)
        while (space > 0 && text.data[space] != ' ')
            space--;
    if (space > 0)
        fit = space;
    *ret_next = fit + (fit < text.size && text.data[fit] == ' ' ? 1 : 0);
    if (*ret_next == 0 && text.size > 0) { /* not even one character fits */
        struct glyph glyph;

        *ret_next = glyph_next(text, &glyph);
    }
    return fit;
}

size_t text_fit(struct gb_bytes text, size_t columns, size_t *ret_columns)
{
    size_t used = 0, taken = 0;

    while (used < text.size) {
        struct glyph glyph;
        size_t n = glyph_next((struct gb_bytes){text.data + used, text.size - used}, &glyph);

        if (taken + glyph.width > columns)
            break;
        used += n;
        taken += glyph.width;
    }
    if (ret_columns != NULL)
        *ret_columns = taken;
    return used;
}

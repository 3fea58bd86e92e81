/* SPDX-License-Identifier: Apache-2.0 */
#include "edge/mask.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "edge/wipe.h"

bool gb_mask_add(struct gb_mask *mask, struct gb_bytes text, const char *by)
{
    struct gb_mask_text *added = &mask->texts[mask->count];
    size_t length = strlen(by);

    for (size_t i = 0; i < mask->count; i++) {
        if (mask->texts[i].size == text.size &&
            memcmp(mask->texts[i].text, text.data, text.size) == 0)
            return true;
    }
    if (mask->count == GB_MASK_TEXTS_MAX || text.size == 0 || text.size > GB_MASK_TEXT_MAX)
        return false;
    *added = (struct gb_mask_text){xmalloc(text.size), xmalloc(text.size), text.size};
    memcpy(added->text, text.data, text.size);
    memset(added->replacement, '*', text.size);
    memcpy(added->replacement, by, MIN(length, text.size));
    mask->first[text.data[0]] = true;
    mask->count++;
    return true;
}

void gb_mask_release(struct gb_mask *mask)
{
    for (size_t i = 0; i < mask->count; i++) {
        gb_wipe(mask->texts[i].text, mask->texts[i].size);
        free(mask->texts[i].text);
        free(mask->texts[i].replacement);
    }
    *mask = (struct gb_mask){0};
}

/* The longest text at the front of @at. *@ret_more: a longer one may follow when there are more
 * bytes. */
static const struct gb_mask_text *mask_match(const struct gb_mask *mask, struct gb_bytes at,
                                             bool *ret_more)
{
    const struct gb_mask_text *best = NULL;

    *ret_more = false;
    for (size_t i = 0; i < mask->count; i++) {
        const struct gb_mask_text *text = &mask->texts[i];

        if (memcmp(text->text, at.data, MIN(text->size, at.size)) != 0)
            continue;
        if (text->size > at.size)
            *ret_more = true;
        else if (best == NULL || best->size < text->size)
            best = text;
    }
    return best;
}

void gb_mask_feed(const struct gb_mask *mask, struct gb_buf *held, struct gb_bytes bytes,
                  bool final, struct gb_buf *out)
{
    struct gb_bytes rest;
    size_t plain = 0; /* bytes at the front of `rest` that are no part of a text */

    if (bytes.size > 0)
        gb_buf_add(held, bytes.data, bytes.size);
    rest = gb_buf_bytes(held);
    while (plain < rest.size) {
        const struct gb_mask_text *text = NULL;
        bool more = false;

        if (mask->first[rest.data[plain]])
            text = mask_match(mask, (struct gb_bytes){rest.data + plain, rest.size - plain}, &more);
        if (more && !final)
            break;
        if (text == NULL) {
            plain++;
            continue;
        }
        gb_buf_add(out, rest.data, plain);
        gb_buf_add(out, text->replacement, text->size);
        rest.data += plain + text->size;
        rest.size -= plain + text->size;
        plain = 0;
    }
    gb_buf_add(out, rest.data, plain);
    gb_buf_consume(held, held->size - (rest.size - plain));
}
